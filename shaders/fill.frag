#version 330 core
// Filled rectangles: one colour each. v_ink: sRGB, opacity. Out: sRGB-encoded, alpha is opacity.

flat in vec4 v_ink;
out vec4 color;

void main() {
    color = v_ink;
}
