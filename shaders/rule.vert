#version 330 core
// Rules (frames, tick marks): filled rectangles with sides on pixel edges, a strip of four corners each.
// box: per rule, left, top, width, height, in pixels, origin at the canvas's top left.
// u_canvas: width, height, in pixels.

layout(location = 0) in vec4 box;
uniform vec2 u_canvas;

void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 position = (box.xy + corner * box.zw) / u_canvas * 2.0 - 1.0;
    gl_Position = vec4(position.x, -position.y, 0.0, 1.0);
}
