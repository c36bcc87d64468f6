package headscope.result;

import headscope.tensor.DType;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Values of every token of every text in chosen heads: {@code tokens.safetensors}, and {@code tokens.csv} with a row per
 * token. Texts follow each other; row {@code offsets[s]} is the first token of text s.
 *
 * @param names of the values, each a tensor [all tokens, heads]
 * @param heads layer and head of each column
 * @param texts in the order of {@code samples.csv}
 */
public record TokenValueFiles(List<String> names, List<int[]> heads, List<Text> texts) {
    public static final String TENSORS = "tokens.safetensors";
    public static final String TABLE = "tokens.csv";

    private static final String HEADS = "heads";
    private static final String OFFSETS = "offsets";
    private static final String TEXT = "text";
    private static final String IDS = "ids";
    private static final List<String> COLUMNS = List.of("text", "position", "id", "token", "name");

    /**
     * One text.
     *
     * @param index as in {@code samples.csv}
     * @param ids   of its tokens
     */
    public record Text(int index, int[] ids) {}

    /**
     * @param values one array [tokens, heads] per name, of the text at a place in the list; called once per text
     * @param tokens strings of tokens in the vocabulary, by id
     * @throws RunFolderException if a file cannot be written
     */
    public void write(RunFolder folder, IntFunction<List<float[]>> values, IntFunction<String> tokens) {
        long[] offsets = new long[texts.size() + 1];
        for (int text = 0; text < texts.size(); text++) {
            offsets[text + 1] = offsets[text] + texts.get(text).ids().length;
        }
        long all = offsets[texts.size()];
        List<Layout> layouts = new ArrayList<>(List.of(
                new Layout(HEADS, DType.I64, heads.size(), 2), new Layout(OFFSETS, DType.I64, offsets.length),
                new Layout(TEXT, DType.I64, texts.size()), new Layout(IDS, DType.I32, all)));
        names.forEach(name -> layouts.add(new Layout(name, DType.F32, all, heads.size())));
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.file(TENSORS), Map.of(), layouts)) {
            heads.forEach(head -> writer.append(HEADS, head[0], (long) head[1]));
            writer.append(OFFSETS, offsets);
            for (int text = 0; text < texts.size(); text++) {
                writer.append(TEXT, (long) texts.get(text).index());
                writer.append(IDS, texts.get(text).ids());
                List<float[]> ofText = values.apply(text);
                for (int value = 0; value < names.size(); value++) {
                    writer.append(names.get(value), ofText.get(value));
                }
            }
            writer.commit();
        }
        Iterable<List<Object>> rows = () -> texts.stream().flatMap(text -> rows(text, tokens)).iterator();
        CsvFile.write(folder.file(TABLE), COLUMNS, rows);
    }

    private static Stream<List<Object>> rows(Text text, IntFunction<String> tokens) {
        List<String> pieces = Arrays.stream(text.ids()).mapToObj(tokens).toList();
        List<String> readable = TokenNames.of(pieces);
        return IntStream.range(0, pieces.size())
                .mapToObj(i -> List.of(text.index(), i, text.ids()[i], pieces.get(i), readable.get(i)));
    }
}
