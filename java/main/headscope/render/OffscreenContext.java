package headscope.render;

import static org.lwjgl.egl.EGL10.*;
import static org.lwjgl.egl.EGL12.*;
import static org.lwjgl.egl.EGL14.*;
import static org.lwjgl.egl.EGL15.*;
import static org.lwjgl.egl.EXTDeviceEnumeration.eglQueryDevicesEXT;
import static org.lwjgl.egl.EXTPlatformDevice.EGL_PLATFORM_DEVICE_EXT;
import static org.lwjgl.opengl.GL33C.*;
import static org.lwjgl.system.MemoryUtil.NULL;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.lwjgl.PointerBuffer;
import org.lwjgl.egl.EGL;
import org.lwjgl.opengl.GL;
import org.lwjgl.system.JNI;
import org.lwjgl.system.MemoryStack;

/**
 * An OpenGL 3.3 core context without window, display server or surface. It is current in the thread that opened it,
 * until it is closed, and draws into framebuffer objects.
 */
public final class OffscreenContext implements AutoCloseable {
    /** EGL_PLATFORM_SURFACELESS_MESA, of the extension EGL_MESA_platform_surfaceless. */
    private static final int PLATFORM_SURFACELESS = 0x31DD;

    private final long display;
    private final long context;

    private OffscreenContext(long display, long context) {
        this.display = display;
        this.context = context;
    }

    /** @throws RenderUnavailableException if this machine has no EGL, or no OpenGL 3.3 behind it */
    public static OffscreenContext open() {
        OpenGlLoading.prepare();
        Set<String> vendors = new LinkedHashSet<>();
        try {
            for (LongSupplier display : displays()) {
                Optional<OffscreenContext> context = on(display.getAsLong(), vendors);
                if (context.isPresent()) {
                    GL.createCapabilities(true);
                    return context.get();
                }
            }
        } catch (LinkageError problem) {
            throw RenderUnavailableException.missing("OpenGL cannot be loaded: " + firstLine(problem), problem);
        } catch (IllegalStateException problem) {
            throw RenderUnavailableException.missing("EGL provides no OpenGL 3.3 core context", problem);
        }
        if (vendors.isEmpty()) {
            throw RenderUnavailableException.missing("EGL provides no display without a window", null);
        }
        throw RenderUnavailableException.refused(String.join(", ", vendors));
    }

    public GlDescription description() {
        return new GlDescription(
                glGetString(GL_VENDOR), glGetString(GL_RENDERER), glGetString(GL_VERSION));
    }

    @Override
    public void close() {
        GL.setCapabilities(null);
        eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
        eglDestroyContext(display, context);
        eglTerminate(display);
        eglReleaseThread();
    }

    /** The first line of the root cause's message. */
    private static String firstLine(Throwable problem) {
        Throwable root = problem;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage()).lines().findFirst().orElse("no reason given");
    }

    /** EGL displays in the order in which they are tried. */
    private static List<LongSupplier> displays() {
        LongSupplier standard = () -> eglGetDisplay(EGL_DEFAULT_DISPLAY);
        if (!EGL.getCapabilities().EGL15) {
            return List.of(standard);
        }
        return List.of(
                () -> platformDisplay(PLATFORM_SURFACELESS, EGL_DEFAULT_DISPLAY),
                OffscreenContext::firstDevice,
                standard);
    }

    /** Calls eglGetPlatformDisplay; LWJGL's method rejects EGL_DEFAULT_DISPLAY, which is 0. */
    private static long platformDisplay(int platform, long device) {
        return JNI.callPPP(platform, device, NULL, EGL.getCapabilities().eglGetPlatformDisplay);
    }

    private static long firstDevice() {
        if (!EGL.getCapabilities().EGL_EXT_device_enumeration) {
            return EGL_NO_DISPLAY;
        }
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer device = stack.mallocPointer(1);
            var found = stack.ints(0);
            if (!eglQueryDevicesEXT(device, found) || found.get(0) == 0) {
                return EGL_NO_DISPLAY;
            }
            return platformDisplay(EGL_PLATFORM_DEVICE_EXT, device.get(0));
        }
    }

    /**
     * Creates a context on the display and makes it current; empty if the display or the context is unavailable.
     *
     * @param vendors receives the vendor of a display that is available
     */
    private static Optional<OffscreenContext> on(long display, Set<String> vendors) {
        if (display == EGL_NO_DISPLAY) {
            return Optional.empty();
        }
        try (MemoryStack stack = MemoryStack.stackPush()) {
            if (!eglInitialize(display, stack.mallocInt(1), stack.mallocInt(1))) {
                return Optional.empty();
            }
            vendors.add(String.valueOf(eglQueryString(display, EGL_VENDOR)));
            PointerBuffer config = stack.mallocPointer(1);
            var found = stack.ints(0);
            var wanted = stack.ints(EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE);
            if (eglBindAPI(EGL_OPENGL_API)
                    && eglChooseConfig(display, wanted, config, found)
                    && found.get(0) > 0) {
                long context = eglCreateContext(display, config.get(0), EGL_NO_CONTEXT, stack.ints(
                        EGL_CONTEXT_MAJOR_VERSION, 3,
                        EGL_CONTEXT_MINOR_VERSION, 3,
                        EGL_CONTEXT_OPENGL_PROFILE_MASK, EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT,
                        EGL_NONE));
                if (context != NULL && eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context)) {
                    return Optional.of(new OffscreenContext(display, context));
                }
            }
        }
        eglTerminate(display);
        return Optional.empty();
    }
}
