package headscope.render;

/** Which OpenGL draws, in its own words. */
public record GlDescription(String vendor, String renderer, String version) {}
