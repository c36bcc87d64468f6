package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Browser;
import headscope.ChildJvm;
import headscope.OverflowingModel;
import headscope.Patience;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that serve pages, in processes of their own, and Chromium, which opens the address that they print. */
final class ServeCommandTest {
    private static Browser browser;

    @TempDir
    private Path folder;

    private final List<Process> processes = new ArrayList<>();

    @BeforeAll
    static void open() {
        browser = Browser.open(1280, 943);
    }

    @AfterAll
    static void close() {
        browser.close();
    }

    @AfterEach
    void end() throws InterruptedException {
        browser.visit("about:blank");
        browser.complaints();
        for (Process process : processes) {
            process.destroyForcibly().waitFor();
        }
    }

    private Process start(Map<String, String> variables, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("headscope.Main"));
        command.addAll(List.of(arguments));
        Process process = ChildJvm.start(folder, variables, command);
        processes.add(process);
        return process;
    }

    /** The address that the process prints. */
    private String url(Process process) throws IOException, InterruptedException {
        Path out = folder.resolve("out.txt");
        while (process.isAlive() && !Files.readString(out).endsWith("\n")) {
            Thread.sleep(50);
        }
        String printed = Files.readString(out);
        assertTrue(printed.startsWith("Open http://"), () -> printed + errors());
        return printed.strip().substring("Open ".length());
    }

    private String errors() {
        try {
            return Files.readString(folder.resolve("err.txt"));
        } catch (IOException problem) {
            return problem.toString();
        }
    }

    /** A model that fails while it is viewed says why in the view and on the terminal. */
    @Test
    void aModelThatFailsSaysWhyEverywhere() throws IOException, InterruptedException {
        Path model = folder.resolve("model");
        OverflowingModel.write(model, "lion");
        Process process = start(Map.of(), "live", "--model", model.toString(), "--prompt", "the capital of boria is",
                "--max-new-tokens", "2", "--device", "cpu", "--serve", "0");
        browser.visit(url(process));
        browser.awaitText("state", "ended"::equals);
        browser.type("e");
        browser.write("prompt-text", "the lion sleeps");
        browser.clickOn("button[value=restart]");
        String fault = "attention of layer 0, head 0 is not finite; the model overflows in f32";
        browser.awaitText("notice", text -> text.startsWith(fault) && text.contains("The program has ended"));
        browser.awaitText("status", text -> text.startsWith(fault));
        assertTrue(process.waitFor(Patience.SECONDS, TimeUnit.SECONDS));
        assertEquals(2, process.exitValue());
        assertEquals(1, errors().lines().filter(line -> line.startsWith("headscope: " + fault)).count(), errors());
    }

    @Test
    void aRecordingIsServedWithItsPosition() throws IOException, InterruptedException {
        Path file = folder.resolve("demo.frames");
        ChildJvm.Result made = CommandLineTest.headscope(List.of("live", "--demo", "--device", "cpu", "--max-new-tokens", "2",
                "--headless", "--record", file.toString()));
        assertEquals(0, made.status(), made.err());
        Process process = start(Map.of(), "view", file.toString(), "--speed", "100", "--serve", "0");
        browser.visit(url(process));
        browser.awaitTrue("return document.getElementById('played').style.width === '100%'");
        assertEquals(List.of(), browser.complaints());
    }

    @Test
    void aFinishedRunIsServed() throws IOException, InterruptedException {
        Path run = folder.resolve("run");
        ChildJvm.Result made = CommandLineTest.headscope(List.of("spectra", "--model", "models/demo", "--device", "cpu",
                "--texts", "data/qa.jsonl", "--limit", "12", "--k", "1", "--max-new-tokens", "1", "--out", run.toString()));
        assertEquals(0, made.status(), made.err());
        Process process = start(Map.of(), "view", run.toString(), "--serve", "0");
        browser.visit(url(process));
        assertEquals("Headscope: spectra of demo", browser.script("return document.title"));
        browser.script("document.querySelectorAll('.plot canvas').forEach((canvas, i) => canvas.id = 'canvas' + i)");
        browser.script("document.getElementById('canvas1').scrollIntoView({block: 'center'})");
        browser.hover("canvas1", 4.5 / 12, 7.5 / 12);
        browser.awaitText("hint", text -> text.matches(".*layer 7, head 4p-value[0-9.e-]+q[0-9.e-]+effect.*"));
        browser.clickOn(".data.heads th:nth-child(3) button");
        assertEquals("ascending", browser.script("return document.querySelector('.data.heads th:nth-child(3)').ariaSort"));
        assertEquals(144L, browser.script("return document.querySelectorAll('.data.heads tbody tr').length"));
        assertEquals(List.of(), browser.complaints());
        process.destroy();
        assertTrue(process.waitFor(Patience.SECONDS, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue());
    }

    /** An address of this machine that other machines reach; without a network, all of its addresses. */
    private static String address() throws IOException {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
                .map(InetAddress::getHostAddress)
                .map(address -> address.contains(":") ? "[" + address + "]" : address)
                .sorted()
                .findFirst().orElse("0.0.0.0");
    }

    @Test
    void anotherAddressIsServedToThoseWhoHaveTheToken() throws IOException, InterruptedException {
        Process process = start(Map.of(), "live", "--demo", "--device", "cpu", "--max-new-tokens", "2", "--serve", address() + ":0");
        String url = url(process);
        URI page = URI.create(url);
        assertFalse(page.getHost().startsWith("127."), url);
        browser.visit(url);
        browser.awaitText("state", "ended"::equals);
        assertEquals(List.of(), browser.complaints());
        browser.visit("about:blank");
        browser.visit(url.replaceFirst("#.*", "#wrong"));
        browser.awaitText("notice", text -> text.startsWith("The server refuses this address"));
        String socket = "http://%s/frames?token=%s".formatted(page.getAuthority(), page.getFragment());
        assertEquals(403, status(socket, "http://evil.example"));
        assertEquals(403, status(socket, "http://localhost:" + page.getPort()));
        assertEquals(404, status(socket, "http://" + page.getAuthority()), "let in, but it asks for no socket");
    }

    /** Of a request for the socket. */
    private static int status(String url, String origin) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(URI.create(url)).header("Origin", origin).build(), BodyHandlers.discarding())
                    .statusCode();
        }
    }

    /** The server has no OpenGL and the browser has no WebGL. */
    @Test
    void nobodyCanDraw() throws IOException, InterruptedException {
        Process process = start(Map.of("__EGL_VENDOR_LIBRARY_FILENAMES", "/none", "__EGL_VENDOR_LIBRARY_DIRS", "/none"),
                "live", "--demo", "--device", "cpu", "--max-new-tokens", "2", "--serve", "0");
        String url = url(process);
        try (Browser plain = Browser.open(800, 600, "--disable-gpu", "--disable-3d-apis")) {
            plain.visit(url);
            plain.awaitText("notice", text -> text.startsWith(
                    "This browser has no WebGL2, and the server cannot draw for it: "));
        }
        assertTrue(process.isAlive());
    }
}
