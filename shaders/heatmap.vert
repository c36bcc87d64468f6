#version 330 core
// Heat map: its rectangle, as a strip of four corners without vertex data.
// u_box: left, top, width, height, in pixels, origin at the canvas's top left. u_canvas: width, height, in pixels.
// u_cells: columns, rows. Out: v_cell, in cells from the top left of the map.

uniform vec4 u_box;
uniform vec2 u_canvas;
uniform vec2 u_cells;
out vec2 v_cell;

void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 position = (u_box.xy + corner * u_box.zw) / u_canvas * 2.0 - 1.0;
    gl_Position = vec4(position.x, -position.y, 0.0, 1.0);
    v_cell = corner * u_cells;
}
