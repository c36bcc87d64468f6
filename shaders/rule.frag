#version 330 core
// Rules: one colour. u_color: sRGB. Out: sRGB-encoded, opaque.

uniform vec3 u_color;
out vec4 color;

void main() {
    color = vec4(u_color, 1.0);
}
