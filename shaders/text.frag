#version 330 core
// Text: the coverage of a pixel is one texel of the glyph texture; nothing is scaled.
// u_glyphs: coverage, 0 to 1. v_texel: in texels. v_ink: sRGB. Out: sRGB-encoded, alpha is coverage.

uniform sampler2D u_glyphs;
in vec2 v_texel;
in vec3 v_ink;
out vec4 color;

void main() {
    color = vec4(v_ink, texelFetch(u_glyphs, ivec2(floor(v_texel)), 0).r);
}
