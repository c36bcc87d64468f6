package headscope.live.window;

import static org.lwjgl.system.MemoryUtil.NULL;
import static org.lwjgl.system.linux.X11.ClientMessage;
import static org.lwjgl.system.linux.X11.NoEventMask;
import static org.lwjgl.system.linux.X11.XCloseDisplay;
import static org.lwjgl.system.linux.X11.XOpenDisplay;
import static org.lwjgl.system.linux.X11.XSendEvent;

import headscope.render.Image;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.lwjgl.system.JNI;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.system.linux.X11;
import org.lwjgl.system.linux.XEvent;

/** A display of an X server that shows nothing on any screen (Debian's xvfb), and a user's hands (xdotool). */
final class VirtualDisplay implements AutoCloseable {
    private static final int SECONDS = 60;

    private final Process server;
    private final String name;
    private final Path pixels;

    private VirtualDisplay(Process server, String name, Path pixels) {
        this.server = server;
        this.name = name;
        this.pixels = pixels;
    }

    /** @param folder for the screen's pixels */
    static VirtualDisplay start(Path folder, int width, int height) throws IOException {
        Process server = new ProcessBuilder("Xvfb", "-displayfd", "1", "-screen", "0", "%dx%dx24".formatted(width, height),
                        "-noreset", "-nolisten", "tcp", "-fbdir", folder.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        BufferedReader reader = server.inputReader();
        String number = reader.readLine();
        if (number == null) {
            server.destroyForcibly();
            throw new IllegalStateException("Xvfb does not start");
        }
        return new VirtualDisplay(server, ":" + number, folder.resolve("Xvfb_screen0"));
    }

    /** For the environment variable DISPLAY. */
    String name() {
        return name;
    }

    /** Tells programs that start from now on how many dots there are to an inch; 96 without. */
    void setDpi(int dpi) throws IOException, InterruptedException {
        run(List.of("xprop", "-root", "-f", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER", "Xft.dpi: " + dpi));
    }

    /** Runs xdotool. @return what it prints */
    String xdotool(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("xdotool"));
        command.addAll(List.of(words));
        return run(command);
    }

    private String run(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("DISPLAY", name);
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes());
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException("still running: " + command);
        }
        return printed.strip();
    }

    /** Asks a window to close, as the button in its title bar does. */
    void close(long window) {
        long display = XOpenDisplay(name);
        if (display == NULL) {
            throw new IllegalStateException("no display " + name);
        }
        try (MemoryStack stack = MemoryStack.stackPush()) {
            // The layout of XClientMessageEvent: LWJGL 3.4.3 writes its data to another place than X11 reads it from.
            ByteBuffer event = stack.calloc(XEvent.SIZEOF);
            event.putInt(0, ClientMessage)
                    .putLong(32, window)
                    .putLong(40, atom(stack, display, "WM_PROTOCOLS"))
                    .putInt(48, 32)
                    .putLong(56, atom(stack, display, "WM_DELETE_WINDOW"));
            XSendEvent(display, window, false, NoEventMask, new XEvent(event));
        }
        XCloseDisplay(display);
    }

    private static long atom(MemoryStack stack, long display, String of) {
        return JNI.invokePPI(display, MemoryUtil.memAddress(stack.ASCII(of)), 0,
                X11.getLibrary().getFunctionAddress("XInternAtom"));
    }

    /** What the display shows, from the server's file in XWD format: a header, colours, then 4 bytes a pixel. */
    Image image() throws IOException {
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(pixels));
        int start = file.getInt(0) + 12 * file.getInt(4 * 19);
        int stride = file.getInt(4 * 12);
        int width = file.getInt(4 * 4);
        int height = file.getInt(4 * 5);
        file.order(ByteOrder.LITTLE_ENDIAN);
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) {
            argb[i] = 0xFF << 24 | file.getInt(start + i / width * stride + 4 * (i % width)) & 0xFFFFFF;
        }
        return new Image(width, height, argb);
    }

    @Override
    public void close() {
        server.destroy();
    }
}
