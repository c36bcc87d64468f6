package headscope.render;

/** The OpenGL implementation, as it describes itself. */
public record GlDescription(String vendor, String renderer, String version) {}
