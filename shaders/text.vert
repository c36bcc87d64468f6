#version 330 core
// Text: a quad of four corners per glyph.
// place: the glyph's top left corner, xy on the canvas in whole pixels from the canvas's top left, zw in texels of the
// glyph texture. edges: the glyph's upper edge (xy) and left edge (zw) from that corner on the canvas, in pixels; both
// are parallel to an axis, since lines are level or upward. ink: sRGB. u_canvas: width, height, in pixels.

layout(location = 0) in vec4 place;
layout(location = 1) in vec4 edges;
layout(location = 2) in vec3 ink;
uniform vec2 u_canvas;
out vec2 v_texel;
out vec3 v_ink;

void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 position = (place.xy + corner.x * edges.xy + corner.y * edges.zw) / u_canvas * 2.0 - 1.0;
    gl_Position = vec4(position.x, -position.y, 0.0, 1.0);
    v_texel = place.zw + corner * vec2(abs(edges.x + edges.y), abs(edges.z + edges.w));
    v_ink = ink;
}
