package headscope.render.window;

import static java.util.Map.entry;
import static org.lwjgl.glfw.Callbacks.glfwFreeCallbacks;
import static org.lwjgl.glfw.GLFW.*;
import static org.lwjgl.opengl.GL33C.*;
import static org.lwjgl.system.MemoryUtil.NULL;

import headscope.render.OpenGlLoading;
import headscope.render.RenderUnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.lwjgl.glfw.GLFWErrorCallback;
import org.lwjgl.opengl.GL;
import org.lwjgl.system.Callback;
import org.lwjgl.system.MemoryStack;

/**
 * A window on the user's screen with an OpenGL 3.3 core context, which is current in the thread that opened it. Only that
 * thread may use it; GLFW requires the main thread.
 */
public final class Window implements AutoCloseable {
    private static final int MIN_WIDTH = 640;
    private static final int MIN_HEIGHT = 400;

    private static final Map<Integer, Input.Key> KEYS = Map.ofEntries(
            entry(GLFW_KEY_LEFT, Input.Key.LEFT), entry(GLFW_KEY_RIGHT, Input.Key.RIGHT), entry(GLFW_KEY_UP, Input.Key.UP),
            entry(GLFW_KEY_DOWN, Input.Key.DOWN), entry(GLFW_KEY_HOME, Input.Key.HOME), entry(GLFW_KEY_END, Input.Key.END),
            entry(GLFW_KEY_PAGE_UP, Input.Key.PAGE_UP), entry(GLFW_KEY_PAGE_DOWN, Input.Key.PAGE_DOWN),
            entry(GLFW_KEY_BACKSPACE, Input.Key.BACKSPACE), entry(GLFW_KEY_DELETE, Input.Key.DELETE),
            entry(GLFW_KEY_ENTER, Input.Key.ENTER), entry(GLFW_KEY_KP_ENTER, Input.Key.ENTER),
            entry(GLFW_KEY_ESCAPE, Input.Key.ESCAPE));

    /** By the letter that is pressed together with Ctrl. */
    private static final Map<String, Input.Key> WITH_CONTROL =
            Map.of("a", Input.Key.SELECT_ALL, "c", Input.Key.COPY, "x", Input.Key.CUT);

    private static final long DOUBLE_CLICK_NANOS = 400_000_000;

    /** Distance between the clicks of a double click, in pixels. */
    private static final double DOUBLE_CLICK_DISTANCE = 5;

    private static final String PACKAGES =
            "GLFW and OpenGL need: apt-get install libx11-6 libxcursor1 libxi6 libxinerama1 libxrandr2 libegl1 libgl1-mesa-dri";

    private final long id;
    private final List<Input> inputs = new ArrayList<>();
    private boolean exposed = true;
    private Input.Moved pointer; // when the event came that is handled
    private Input.ButtonDown lastClick = new Input.ButtonDown(Double.NaN, Double.NaN, 0);
    private long lastClickNanos;
    private long lastAwaitNanos = System.nanoTime();

    private Window(long id) {
        this.id = id;
        this.pointer = pointerNow();
        glfwSetWindowSizeLimits(id, MIN_WIDTH, MIN_HEIGHT, GLFW_DONT_CARE, GLFW_DONT_CARE);
        glfwSetFramebufferSizeCallback(id, (_, _, _) -> exposed = true);
        glfwSetWindowContentScaleCallback(id, (_, _, _) -> exposed = true);
        glfwSetWindowRefreshCallback(id, _ -> exposed = true);
        glfwSetCharCallback(id, (_, character) -> inputs.add(new Input.Typed(character)));
        glfwSetKeyCallback(id, (_, key, code, action, modifiers) -> {
            if (action != GLFW_RELEASE) {
                press(key, code, modifiers);
            }
        });
        glfwSetCursorPosCallback(id, (_, x, y) -> {
            pointer = new Input.Moved(x * density(), y * density());
            inputs.add(pointer);
        });
        glfwSetCursorEnterCallback(id, (_, entered) -> {
            if (!entered) {
                inputs.add(new Input.Left());
            }
        });
        glfwSetMouseButtonCallback(id, (_, button, action, _) -> {
            if (button == GLFW_MOUSE_BUTTON_LEFT) {
                inputs.add(action == GLFW_PRESS ? click() : new Input.ButtonUp(pointer.x(), pointer.y()));
            }
        });
        glfwSetScrollCallback(id, (_, _, steps) -> inputs.add(new Input.Scrolled(steps, pointer.x(), pointer.y())));
    }

    private void press(int key, int code, int modifiers) {
        boolean shift = (modifiers & GLFW_MOD_SHIFT) != 0;
        if ((modifiers & GLFW_MOD_CONTROL) == 0) {
            Optional.ofNullable(KEYS.get(key)).ifPresent(known -> inputs.add(new Input.Pressed(known, shift)));
            return;
        }
        String letter = Optional.ofNullable(glfwGetKeyName(key, code)).orElse("");
        if (letter.equals("v")) {
            Optional.ofNullable(glfwGetClipboardString(id)).ifPresent(text -> inputs.add(new Input.Pasted(text)));
        } else if (WITH_CONTROL.containsKey(letter)) {
            inputs.add(new Input.Pressed(WITH_CONTROL.get(letter), shift));
        }
    }

    /** GLFW gives no times of events: one may have come as early as the end of the await before, however long drawing takes. */
    private Input.ButtonDown click() {
        boolean second = lastClick.clicks() == 1 && lastAwaitNanos - lastClickNanos < DOUBLE_CLICK_NANOS
                && Math.hypot(pointer.x() - lastClick.x(), pointer.y() - lastClick.y()) < DOUBLE_CLICK_DISTANCE * scale();
        lastClickNanos = System.nanoTime();
        lastClick = new Input.ButtonDown(pointer.x(), pointer.y(), second ? 2 : 1);
        return lastClick;
    }

    /**
     * Checks that this machine has a screen to open a window on.
     *
     * @param instead what the user can do without one, as the end of a sentence
     * @throws RenderUnavailableException otherwise
     */
    public static void requireDisplay(String instead) {
        if (empty("DISPLAY") && empty("WAYLAND_DISPLAY")) {
            throw new RenderUnavailableException(
                    "no window: neither DISPLAY nor WAYLAND_DISPLAY is set", "log in to a desktop, use ssh -X, or " + instead);
        }
    }

    private static boolean empty(String variable) {
        return Optional.ofNullable(System.getenv(variable)).orElse("").isEmpty();
    }

    /**
     * @param width  of the contents, in units of 1/96 inch at the monitor's scale
     * @param height likewise
     * @param vsync  whether {@link #show} waits for the monitor
     * @throws RenderUnavailableException if there is no display, or no OpenGL 3.3 on it
     */
    public static Window open(String title, int width, int height, boolean vsync) {
        requireDisplay("use a machine with a screen");
        OpenGlLoading.prepare();
        List<String> errors = new ArrayList<>();
        try {
            glfwSetErrorCallback((_, description) -> errors.add(GLFWErrorCallback.getDescription(description)));
            // Otherwise libwayland complains on stderr that it finds no compositor.
            glfwInitHint(GLFW_PLATFORM, empty("WAYLAND_DISPLAY") ? GLFW_PLATFORM_X11 : GLFW_ANY_PLATFORM);
            if (!glfwInit()) {
                throw unavailable(errors);
            }
            glfwWindowHint(GLFW_CONTEXT_CREATION_API, GLFW_EGL_CONTEXT_API);
            glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
            glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
            glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
            glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
            glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
            glfwWindowHintString(GLFW_X11_CLASS_NAME, "headscope");
            glfwWindowHintString(GLFW_WAYLAND_APP_ID, "headscope");
            long id = glfwCreateWindow(width, height, title, NULL, NULL);
            if (id == NULL) {
                glfwTerminate();
                throw unavailable(errors);
            }
            glfwMakeContextCurrent(id);
            GL.createCapabilities(true);
            glfwSwapInterval(vsync ? 1 : 0);
            return new Window(id);
        } catch (LinkageError problem) {
            throw unavailable(List.of("GLFW cannot be loaded: " + problem.getMessage()));
        }
    }

    private static RenderUnavailableException unavailable(List<String> errors) {
        return new RenderUnavailableException(
                "no window on this display: " + (errors.isEmpty() ? "GLFW gives no reason" : errors.getLast()), PACKAGES);
    }

    /** Width of the contents in pixels; 0 while the window is minimised. */
    public int width() {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var width = stack.mallocInt(1);
            glfwGetFramebufferSize(id, width, stack.mallocInt(1));
            return width.get(0);
        }
    }

    /** Height of the contents in pixels; 0 while the window is minimised. */
    public int height() {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var height = stack.mallocInt(1);
            glfwGetFramebufferSize(id, stack.mallocInt(1), height);
            return height.get(0);
        }
    }

    /** Pixels per unit of 1/96 inch: 1, or 2 on a HiDPI monitor. */
    public double scale() {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var scale = stack.mallocFloat(1);
            glfwGetWindowContentScale(id, scale, stack.mallocFloat(1));
            return scale.get(0);
        }
    }

    /** Pixels per unit of GLFW's screen coordinates, which is not 1 on Wayland. */
    private double density() {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            var width = stack.mallocInt(1);
            glfwGetWindowSize(id, width, stack.mallocInt(1));
            return width.get(0) == 0 ? 1 : (double) width() / width.get(0);
        }
    }

    /** Where the pointer is, which may have moved on since the event that is handled. */
    private Input.Moved pointerNow() {
        double[] x = new double[1];
        double[] y = new double[1];
        glfwGetCursorPos(id, x, y);
        return new Input.Moved(x[0] * density(), y[0] * density());
    }

    /** Waits for input at most this long. @return the input since the last call */
    public List<Input> await(Duration timeout) {
        if (timeout.isPositive()) {
            glfwWaitEventsTimeout(timeout.toNanos() / 1e9);
        } else {
            glfwPollEvents();
        }
        lastAwaitNanos = System.nanoTime();
        List<Input> taken = List.copyOf(inputs);
        inputs.clear();
        return taken;
    }

    /** Puts a text on the clipboard. */
    public void copy(String text) {
        glfwSetClipboardString(id, text);
    }

    /** Whether the contents must be drawn again although they have not changed. Says so once. */
    public boolean takeExposed() {
        boolean taken = exposed;
        exposed = false;
        return taken;
    }

    /** Whether the user has closed the window. */
    public boolean closed() {
        return glfwWindowShouldClose(id);
    }

    /** Waits until everything is drawn. */
    public void finish() {
        glFinish();
    }

    /** Shows what has been drawn. */
    public void show() {
        glfwSwapBuffers(id);
    }

    @Override
    public void close() {
        GL.setCapabilities(null);
        glfwFreeCallbacks(id);
        glfwDestroyWindow(id);
        glfwTerminate();
        Optional.ofNullable(glfwSetErrorCallback(null)).ifPresent(Callback::free);
    }
}
