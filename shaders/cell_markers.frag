#version 330 core
// Dots: a light disc in a dark ring, visible on any colour, with edges anti-aliased over one pixel.
// v_offset: from the centre, in pixels. u_radius: outer radius of the ring, u_ring: its width, both in pixels.
// Out: sRGB-encoded, alpha is coverage.

uniform float u_radius;
uniform float u_ring;
in vec2 v_offset;
out vec4 color;

const vec3 LIGHT = vec3(0.94);
const vec3 DARK = vec3(0.05, 0.05, 0.08);

void main() {
    float distance = length(v_offset);
    float disc = clamp(u_radius - distance + 0.5, 0.0, 1.0);
    float inside = clamp(u_radius - u_ring - distance + 0.5, 0.0, 1.0);
    color = vec4(mix(DARK, LIGHT, inside), disc);
}
