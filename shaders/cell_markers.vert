#version 330 core
// Dots: a square of four corners around each.
// center: of each dot, in pixels, origin at the canvas's top left. u_radius: of the dots, in pixels.
// u_canvas: width, height, in pixels. Out: v_offset, from the centre, in pixels.

layout(location = 0) in vec2 center;
uniform float u_radius;
uniform vec2 u_canvas;
out vec2 v_offset;

void main() {
    // one more pixel for anti-aliasing
    v_offset = (vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0) * (u_radius + 1.0);
    vec2 position = (center + v_offset) / u_canvas * 2.0 - 1.0;
    gl_Position = vec4(position.x, -position.y, 0.0, 1.0);
}
