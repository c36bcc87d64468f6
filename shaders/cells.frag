#version 330 core
// Grid of square maps (layers x heads, or a single map): the colour of the largest value that the pixel covers.
// u_grid: maps per row (heads), rows (layers). u_pitch: from one map to the next, u_gap: of this between maps, in pixels.
// u_values: raw values; a slice per row of the grid. A map has a slot of u_slots.x texels a side, a power of two; u_slots.y
// slots lie side by side, further ones below. Level l holds the largest value of 2^l x 2^l cells; u_slots.z: the last level.
// u_cells: cells a side of a map. u_first: the first column shown; those before have the colour u_hidden.
// u_line: the column and the row that alone fill a map, or -1.
// u_range: the values at the ends of the colour map, above 0 if u_log. u_colors: the colour map, n x 1, sRGB.
// u_missing: for NaN, u_empty: between maps; sRGB. Out: sRGB-encoded, opaque.
// Everything after the first line is also GLSL ES 3.00 if default precisions, of sampler2DArray too, are declared first.

uniform sampler2DArray u_values;
uniform sampler2D u_colors;
uniform ivec2 u_grid;
uniform float u_pitch;
uniform float u_gap;
uniform ivec3 u_slots;
uniform int u_cells;
uniform int u_first;
uniform ivec2 u_line;
uniform vec2 u_range;
uniform bool u_log;
uniform vec3 u_missing;
uniform vec3 u_hidden;
uniform vec3 u_empty;
in vec2 v_place;
out vec4 color;

vec3 colorOf(float value) {
    if (isnan(value)) {
        return u_missing;
    }
    float fraction = u_log
            ? log(max(value, u_range.x) / u_range.x) / log(u_range.y / u_range.x)
            : (value - u_range.x) / (u_range.y - u_range.x);
    int colors = textureSize(u_colors, 0).x;
    int index = int(clamp(floor(fraction * float(colors)), 0.0, float(colors - 1)));
    return texelFetch(u_colors, ivec2(index, 0), 0).rgb;
}

void main() {
    ivec2 map = ivec2(floor(v_place / u_pitch));
    vec2 inside = v_place - vec2(map) * u_pitch;
    float side = u_pitch - u_gap;
    if (any(lessThan(map, ivec2(0))) || any(greaterThanEqual(map, u_grid)) || any(greaterThanEqual(inside, vec2(side)))) {
        color = vec4(u_empty, 1.0);
        return;
    }
    // the cells under the pixel: one if cells are at least as large as pixels, otherwise all that it covers. An edge of cells that
    // meets the pixel's edge or its centre lies clearly to one side, whatever the rounding of v_place.
    float reach = float(u_cells) / side; // cells per pixel
    float margin = reach > 1.0 ? 0.498 * reach : -0.002 * reach;
    ivec2 last = ivec2(u_cells - 1);
    ivec2 from = clamp(ivec2(floor(inside * reach - margin)), ivec2(0), last);
    ivec2 to = reach > 1.0 ? clamp(ivec2(ceil(inside * reach + margin)) - 1, from, last) : from;
    if (u_line.x >= 0) {
        from.x = to.x = u_line.x;
    }
    if (u_line.y >= 0) {
        from.y = to.y = u_line.y;
    }
    if (to.x < u_first) {
        color = vec4(u_hidden, 1.0);
        return;
    }
    from.x = max(from.x, u_first);
    int band = int((float(map.x) + 0.5) / float(u_slots.y)); // integer division is slow on CPUs
    ivec2 slot = ivec2(map.x - band * u_slots.y, band) * u_slots.x;
    // the same for all pixels; a line of cells and hidden columns are not in coarse levels
    int level = reach >= 2.0 && u_first == 0 && u_line.x < 0 && u_line.y < 0 ? min(int(log2(reach)), u_slots.z) : 0;
    slot = slot >> level;
    from = from >> level;
    to = to >> level;
    float largest = texelFetch(u_values, ivec3(slot + from, map.y), level).r;
    for (int y = from.y; y <= to.y; y++) {
        for (int x = from.x; x <= to.x; x++) {
            float value = texelFetch(u_values, ivec3(slot + ivec2(x, y), map.y), level).r;
            largest = value > largest || isnan(value) ? value : largest;
        }
    }
    color = vec4(colorOf(largest), 1.0);
}
