import java.time.LocalDateTime;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** Entries that only other platforms load, and entries that Headscope never reads. */
static final List<Pattern> EXCLUDED = Stream.of(
        "(?i)(?!.*linux.x(86.)?64).*\\.(so(\\.\\d+)*|a|dll|dylib|jnilib)", // native libraries of other platforms
        ".*/libjniopenblas.*", ".*/openblas/linux-x86_64/(include|lib)/.*", // OpenBLAS is called without JavaCPP
        ".*/dejavu/(?!DejaVuSans\\.ttf)[^/]*\\.ttf", ".*/roboto/(?!Roboto-Regular\\.ttf)[^/]*\\.ttf")
        .map(Pattern::compile).toList();

/**
 * Arguments FOLDER JAR...: copies jars into a folder for a bundle. Entries are stored uncompressed, because xz compresses
 * them better, sorted by name and with one timestamp, so that equal jars give equal bytes.
 */
void main(String[] arguments) throws IOException {
    for (String jar : Arrays.asList(arguments).subList(1, arguments.length)) {
        repack(Path.of(jar), Path.of(arguments[0]).resolve(Path.of(jar).getFileName()));
    }
}

void repack(Path from, Path to) throws IOException {
    try (ZipFile source = new ZipFile(from.toFile());
            ZipOutputStream target = new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(to)))) {
        List<? extends ZipEntry> entries = source.stream()
                .filter(entry -> EXCLUDED.stream().noneMatch(pattern -> pattern.matcher(entry.getName()).matches()))
                .sorted(Comparator.comparing(ZipEntry::getName))
                .toList();
        for (ZipEntry entry : entries) {
            byte[] content = source.getInputStream(entry).readAllBytes();
            target.putNextEntry(stored(entry.getName(), content));
            target.write(content);
        }
    }
}

ZipEntry stored(String name, byte[] content) {
    CRC32 checksum = new CRC32();
    checksum.update(content);
    ZipEntry stored = new ZipEntry(name);
    stored.setTimeLocal(LocalDateTime.of(2026, 1, 1, 0, 0));
    stored.setMethod(ZipEntry.STORED);
    stored.setSize(content.length);
    stored.setCrc(checksum.getValue());
    return stored;
}
