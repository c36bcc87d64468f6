#version 330 core
// Grid of square maps: its visible rectangle, as a strip of four corners without vertex data.
// u_box: left, top, width, height, in pixels, origin at the canvas's top left. u_canvas: width, height, in pixels.
// u_origin: where the rectangle's top left corner lies on the zoomed grid, in pixels.
// Out: v_place, in pixels from the top left of the zoomed grid.

uniform vec4 u_box;
uniform vec2 u_canvas;
uniform vec2 u_origin;
out vec2 v_place;

void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 position = (u_box.xy + corner * u_box.zw) / u_canvas * 2.0 - 1.0;
    gl_Position = vec4(position.x, -position.y, 0.0, 1.0);
    v_place = u_origin + corner * u_box.zw;
}
