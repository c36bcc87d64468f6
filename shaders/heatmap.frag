#version 330 core
// Heat map: the colour of the cell that contains the pixel's centre.
// u_values: raw values, one texel per cell, row 0 at the top. u_range: the values at the ends of the colour map.
// u_colors: the colour map, n x 1, sRGB. u_missing: sRGB, for NaN. Out: sRGB-encoded, opaque.

uniform sampler2D u_values;
uniform sampler2D u_colors;
uniform vec2 u_range;
uniform vec3 u_missing;
in vec2 v_cell;
out vec4 color;

void main() {
    ivec2 cell = clamp(ivec2(floor(v_cell)), ivec2(0), textureSize(u_values, 0) - 1);
    float value = texelFetch(u_values, cell, 0).r;
    int colors = textureSize(u_colors, 0).x;
    float fraction = (value - u_range.x) / (u_range.y - u_range.x);
    int index = int(clamp(floor(fraction * float(colors)), 0.0, float(colors - 1)));
    color = vec4(isnan(value) ? u_missing : texelFetch(u_colors, ivec2(index, 0), 0).rgb, 1.0);
}
