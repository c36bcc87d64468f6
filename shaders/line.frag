#version 330 core
// Strokes with round ends, and dots, with edges anti-aliased over one pixel.
// v_place: along the stroke from its start, and across it, in pixels. v_length, v_radius: in pixels. v_ink: sRGB.
// Out: sRGB-encoded, alpha is coverage.

in vec2 v_place;
flat in float v_length;
flat in float v_radius;
flat in vec3 v_ink;
out vec4 color;

void main() {
    float away = distance(v_place, vec2(clamp(v_place.x, 0.0, v_length), 0.0));
    color = vec4(v_ink, clamp(v_radius - away + 0.5, 0.0, 1.0));
}
