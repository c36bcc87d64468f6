package headscope.render;

import java.io.OutputStream;
import java.io.PrintStream;
import org.lwjgl.system.Configuration;

/** How LWJGL and Mesa load OpenGL. */
public final class OpenGlLoading {
    private OpenGlLoading() {}

    /** Has an effect only before the first call of OpenGL, EGL or GLFW. */
    public static void prepare() {
        MesaSettings.quiet();
        if (!Configuration.DEBUG.get(false)) {
            // LWJGL would write to stderr what our exceptions already say.
            Configuration.DEBUG_STREAM.set(new PrintStream(OutputStream.nullOutputStream()));
        }
        // Off screen and in a window, OpenGL's functions come from EGL, so that libGL.so.1 is not needed.
        Configuration.OPENGL_CONTEXT_API.set("EGL");
    }
}
