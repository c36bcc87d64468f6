package headscope.result;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HeadTableTest {
    @TempDir
    private Path folder;

    @Test
    void writesNumbersAsText() throws IOException {
        Path file = folder.resolve("heads.csv");
        double[] values = {0.1, Double.NaN, -3, 1e-300};
        table(2, 2, "entropy", values).write(file);
        assertEquals("layer,head,entropy\n0,0,0.1\n0,1,nan\n1,0,-3.0\n1,1,1.0E-300\n",
                Files.readString(file));
        HeadTable read = HeadTable.read(file);
        assertEquals(List.of("entropy"), read.names());
        assertArrayEquals(values, read.column("entropy"));
    }

    @Test
    void readsColumnsInTheirOrder() {
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        columns.put("z, \"quoted\"", new double[] {1, 2, 3, 4, 5, 6});
        columns.put("a", new double[] {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -0.0, 0,
            Double.MIN_VALUE, Double.MAX_VALUE});
        new HeadTable(3, 2, columns).write(folder.resolve("heads.csv"));
        HeadTable read = HeadTable.read(folder.resolve("heads.csv"));
        assertEquals(List.of("z, \"quoted\"", "a"), read.names());
        assertArrayEquals(columns.get("a"), read.column("a"));
        assertArrayEquals(columns.get("z, \"quoted\""), read.column("z, \"quoted\""));
        assertEquals(3, read.layers());
        assertEquals(2, read.heads());
        Rejections.assertRejected(IllegalArgumentException.class, "no column \"b\"; the columns are [z, \"quoted\", a]",
                () -> read.column("b"));
    }

    static Stream<Arguments> broken() {
        return Stream.of(
                arguments("", ": is empty"),
                arguments("head,layer\n", ":1: the first columns must be layer,head"),
                arguments("layer\n", ":1: the first columns must be layer,head"),
                arguments("layer,head,x\n", ":2: no row for layer 0"),
                arguments("layer,head,x,x\n", ":1: a column without a name or with the name of another: \"x\""),
                arguments("layer,head,\n", ":1: a column without a name or with the name of another: \"\""),
                arguments("layer,head,head\n", ":1: a column without a name or with the name of another: \"head\""),
                arguments("layer,head,x\n0,0,1,2\n", ":2: 4 cells, but 3 columns"),
                arguments("layer,head,x\n0,0,1\n\n", ":3: 1 cells, but 3 columns"),
                arguments("layer,head,x\n0,0,1\n0,1\n", ":3: 2 cells, but 3 columns"),
                arguments("layer,head,x\n1,0,1\n", ":2: no row for layer 0"),
                arguments("layer,head,x\n0,0,1\n0,2,1\n", ":3: layer 0, head 2 where layer 0, head 1 is expected"),
                arguments("layer,head,x\n0,0,1\n0,1,1\n1,0,1\n2,0,1\n",
                        ":5: layer 2, head 0 where layer 1, head 1 is expected"),
                arguments("layer,head,x\n0,0,1\n0,1,1\n1,0,1\n",
                        ":4: 3 rows, not a multiple of layer 0's 2 heads"),
                arguments("layer,head,x\n-1,0,1\n", ":2: column layer: \"-1\" is not a whole number"),
                arguments("layer,head,x\n0,99999999999,1\n",
                        ":2: column head: \"99999999999\" is not a whole number"),
                arguments("layer,head,x\n0,0,one\n", ":2: column x: \"one\" is not a number"),
                arguments("layer,head,x\n0,0,\n", ":2: column x: \"\" is not a number"),
                arguments("layer,head,x\n0,0,1f\n", ":2: column x: \"1f\" is not a number"),
                arguments("layer,head,x\n0,0,0x1p3\n", ":2: column x: \"0x1p3\" is not a number"),
                arguments("layer,head,x\n0,0,NaN\n", ":2: column x: \"NaN\" is not a number"),
                arguments("layer,head,x\n0,0, 1\n", ":2: column x: \" 1\" is not a number"),
                arguments("layer,head,x\n0,0,\"a\nb\"\n", ":2: column x: \"a\\u000ab\" is not a number"),
                arguments("layer,head,x\n0,0,\"1\"2\n",
                        ":2: is not comma-separated values: quotes must be doubled, and end at a comma"),
                arguments("layer,head,x\n0,0,\"1\n",
                        ":2: is not comma-separated values: quotes must be doubled, and end at a comma"));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void rejectsAMalformedFileByLine(String text, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("heads.csv"), text);
        Rejections.assertRejected(ResultFormatException.class, file + message, () -> HeadTable.read(file));
    }

    @Test
    void rejectsFilesThatAreNotText() throws IOException {
        Path file = folder.resolve("heads.csv");
        Rejections.assertRejected(ResultFormatException.class, file + ": no such file", () -> HeadTable.read(file));
        Files.write(file, new byte[] {(byte) 0xff, ','});
        Rejections.assertRejected(ResultFormatException.class, file + ":1: is not UTF-8", () -> HeadTable.read(file));
        Rejections.assertRejected(
                ResultFormatException.class, folder + ": is a folder, not a file", () -> HeadTable.read(folder));
    }

    /** {@code /dev/full} has no space. */
    @Test
    void reportsAFullDisk() {
        Path full = Path.of("/dev/full");
        Rejections.assertRejected(RunFolderException.class, full + ": no space left on device",
                () -> table(1, 1, "x", new double[1]).write(full));
    }

    @Test
    void rejectsColumnsOfWrongSizeOrName() {
        Rejections.assertRejected(IllegalArgumentException.class, "column x: 3 values for 2 layers x 2 heads",
                () -> table(2, 2, "x", new double[3]));
        Rejections.assertRejected(IllegalArgumentException.class, "a column cannot be named \"layer\"",
                () -> table(1, 1, "layer", new double[1]));
        Rejections.assertRejected(IllegalArgumentException.class, "0 layers x 1 heads",
                () -> table(0, 1, "x", new double[0]));
    }

    /** Any bits, tables of any shape. */
    @Property(tries = 200)
    void readsEveryDoubleAsWritten(@ForAll @IntRange(min = 1, max = 5) int layers,
            @ForAll @IntRange(min = 1, max = 5) int heads,
            @ForAll long seed) throws IOException {
        double[] values = new Random(seed).longs((long) layers * heads).mapToDouble(Double::longBitsToDouble)
                .toArray();
        Path file = Files.createTempFile("heads", ".csv");
        try {
            table(layers, heads, "x", values).write(file);
            assertArrayEquals(values, HeadTable.read(file).column("x"));
        } finally {
            Files.delete(file);
        }
    }

    private static HeadTable table(int layers, int heads, String name, double[] values) {
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        columns.put(name, values);
        return new HeadTable(layers, heads, columns);
    }
}
