package headscope;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.Rectangle;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Chromium without a screen, drawing by software. {@code ./headscope verify} installs it. */
public final class Browser implements AutoCloseable {
    private static final long POLL_NANOS = 50_000_000;

    private final ChromeDriver driver;
    private final Path downloads;

    private Browser(ChromeDriver driver, Path downloads) {
        this.driver = driver;
        this.downloads = downloads;
    }

    /** @param more arguments of Chromium */
    public static Browser open(int width, int height, String... more) {
        ChromeOptions options = new ChromeOptions();
        options.setBinary(program("chromium").toString());
        options.addArguments("--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
                "--window-size=%d,%d".formatted(width, height), "--hide-scrollbars");
        options.addArguments(more);
        Path downloads;
        try {
            downloads = Files.createTempDirectory("downloads");
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
        options.setExperimentalOption("prefs", Map.of("download.default_directory", downloads.toString()));
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        options.setCapability("goog:loggingPrefs", logs);
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(program("chromedriver").toFile())
                .usingAnyFreePort()
                .build();
        return new Browser(new ChromeDriver(service, options), downloads);
    }

    private static Path program(String name) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        name + " is missing; run the tests by ./headscope verify, which installs it"));
    }

    public void visit(String url) {
        driver.get(url);
    }

    /** The text of an element. */
    public String text(String id) {
        return String.valueOf(script("return document.getElementById('%s').textContent".formatted(id)));
    }

    public void awaitText(String id, Predicate<String> expected) {
        await(() -> expected.test(text(id)), () -> "%s still shows: %s".formatted(id, text(id)));
    }

    /** Waits until a canvas shows something else. */
    public void awaitOtherPixels(String id, String before) {
        await(() -> !pixels(id).equals(before), () -> id + " shows the same");
    }

    /** Waits until a script returns true. */
    public void awaitTrue(String script) {
        await(() -> Boolean.TRUE.equals(script(script)), () -> "not true: " + script);
    }

    /** Waits for a file that the page gives to the user, and moves it. */
    public Path download(Path folder) throws IOException {
        AtomicReference<Path> file = new AtomicReference<>();
        await(() -> {
            try (Stream<Path> files = Files.list(downloads)) {
                files.filter(path -> path.toString().endsWith(".png")).findFirst().ifPresent(file::set);
            } catch (IOException problem) {
                throw new UncheckedIOException(problem);
            }
            return file.get() != null;
        }, () -> "no file was downloaded");
        return Files.move(file.get(), folder.resolve(file.get().getFileName()));
    }

    private static void await(BooleanSupplier met, Supplier<String> problem) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Patience.SECONDS);
        while (!met.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException(problem.get());
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    public Object script(String script, Object... arguments) {
        return driver.executeScript(script, arguments);
    }

    /** What a canvas shows. */
    public String pixels(String id) {
        return String.valueOf(script("return document.getElementById('%s').toDataURL()".formatted(id)));
    }

    /** Clicks at fractions of an element's width and height. */
    public void click(String id, double x, double y) {
        WebElement element = driver.findElement(By.id(id));
        Rectangle box = element.getRect();
        new Actions(driver)
                .moveToElement(element, (int) Math.round((x - 0.5) * box.width), (int) Math.round((y - 0.5) * box.height))
                .click()
                .perform();
    }

    /** Moves the mouse to fractions of an element's width and height. */
    public void hover(String id, double x, double y) {
        WebElement element = driver.findElement(By.id(id));
        Rectangle box = element.getRect();
        new Actions(driver)
                .moveToElement(element, (int) Math.round((x - 0.5) * box.width), (int) Math.round((y - 0.5) * box.height))
                .perform();
    }

    public void clickOn(String selector) {
        driver.findElement(By.cssSelector(selector)).click();
    }

    public void type(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    public void write(String id, String text) {
        WebElement field = driver.findElement(By.id(id));
        field.sendKeys(Keys.chord(Keys.CONTROL, "a"));
        field.sendKeys(text);
    }

    /** Warnings and errors since the last call. */
    public List<String> complaints() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
                .map(Object::toString)
                .toList();
    }

    public void screenshot(Path file) throws IOException {
        Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
    }

    /** The processes that run the page, of which the one that handles it is one. */
    public List<ProcessHandle> renderers() {
        try (Stream<ProcessHandle> children = ProcessHandle.current().descendants()) {
            return children.filter(child -> commandLine(child).contains("--type=renderer")).toList();
        }
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc", String.valueOf(process.pid()), "cmdline")).replace('\0', ' ');
        } catch (IOException ended) {
            return "";
        }
    }

    @Override
    public void close() {
        driver.quit();
    }
}
