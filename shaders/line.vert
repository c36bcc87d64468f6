#version 330 core
// Strokes: a rectangle of four corners around each.
// ends: per stroke, x0, y0, x1, y1, in pixels, origin at the canvas's top left. look: width in pixels, and sRGB.
// u_canvas: width, height, in pixels. Out: v_place, along the stroke from its start and across it, in pixels;
// v_length, v_radius, in pixels; v_ink, sRGB.

layout(location = 0) in vec4 ends;
layout(location = 1) in vec4 look;
uniform vec2 u_canvas;
out vec2 v_place;
flat out float v_length;
flat out float v_radius;
flat out vec3 v_ink;

void main() {
    v_length = distance(ends.xy, ends.zw);
    v_radius = look.x / 2.0;
    v_ink = look.yzw;
    vec2 along = v_length > 0.0 ? (ends.zw - ends.xy) / v_length : vec2(1.0, 0.0);
    vec2 across = vec2(-along.y, along.x);
    float reach = v_radius + 1.0; // one more pixel for anti-aliasing
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    v_place = mix(vec2(-reach), vec2(v_length + reach, reach), corner);
    vec2 position = (ends.xy + along * v_place.x + across * v_place.y) / u_canvas * 2.0 - 1.0;
    gl_Position = vec4(position.x, -position.y, 0.0, 1.0);
}
