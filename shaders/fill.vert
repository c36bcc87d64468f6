#version 330 core
// Filled rectangles with sides on pixel edges, each in its own colour: a strip of four corners each.
// box: per rectangle, left, top, width, height, in pixels, origin at the canvas's top left. ink: sRGB, opacity.
// u_canvas: width, height, in pixels. Out: v_ink.

layout(location = 0) in vec4 box;
layout(location = 1) in vec4 ink;
uniform vec2 u_canvas;
flat out vec4 v_ink;

void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 position = (box.xy + corner * box.zw) / u_canvas * 2.0 - 1.0;
    gl_Position = vec4(position.x, -position.y, 0.0, 1.0);
    v_ink = ink;
}
