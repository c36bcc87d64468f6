#version 330 core
// Text: two triangles per glyph.
// place: xy in whole pixels, origin at the canvas's top left; zw in texels of the glyph atlas. ink: sRGB.
// u_canvas: width, height, in pixels.

layout(location = 0) in vec4 place;
layout(location = 1) in vec3 ink;
uniform vec2 u_canvas;
out vec2 v_texel;
out vec3 v_ink;

void main() {
    vec2 position = place.xy / u_canvas * 2.0 - 1.0;
    gl_Position = vec4(position.x, -position.y, 0.0, 1.0);
    v_texel = place.zw;
    v_ink = ink;
}
