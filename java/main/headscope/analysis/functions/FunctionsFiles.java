package headscope.analysis.functions;

import headscope.analysis.PromptAnswer;
import headscope.analysis.Run;

import headscope.model.ModelConfig;
import headscope.result.ConfusionTable;
import headscope.result.HeadTable;
import headscope.result.MaskingTable;
import headscope.result.SampleTable;
import headscope.tensor.DType;
import headscope.tensor.SafetensorsWriter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/** A functions run's tables and values. */
record FunctionsFiles(Run run, FunctionTexts texts, List<PromptAnswer> answered, List<AnswerReader.Seen> seen) {
    /** A column per function, by its name. */
    void writeHeads(List<HeadImportance> importance) {
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        for (int function = 0; function < importance.size(); function++) {
            columns.put(texts.functions().get(function), importance.get(function).values());
        }
        new HeadTable(run.model.config().layers(), run.model.config().heads(), columns)
                .write(run.folder.file("heads.csv"));
    }

    void writeSamples() {
        new SampleTable(IntStream.range(0, seen.size())
                .mapToObj(text -> new SampleTable.Sample(
                        text, answered.get(text).ids().length, texts.texts().get(text).function(),
                        run.tokenizer.decode(seen.get(text).said()).strip(), texts.texts().get(text).answer()))
                .toList())
                .write(run.folder.file("samples.csv"));
    }

    void writeConfusion(Confusion confusion) {
        new ConfusionTable(texts.functions(), confusion.counts()).write(run.folder.file("confusion.csv"));
    }

    void writeMasking(MaskingTable masking) {
        masking.write(run.folder.file("masking.csv"));
    }

    /** @param logits [test texts * functions] */
    void writeValues(List<HeadImportance> importance, float[] logits) {
        ModelConfig config = run.model.config();
        int functions = texts.functions().size();
        int[] test = texts.split(true);
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                run.folder.file("values.safetensors"), Map.of(), List.of(
                        new SafetensorsWriter.Layout(
                                "importance", DType.F32, functions, config.layers(), config.heads()),
                        new SafetensorsWriter.Layout("logits", DType.F32, test.length, functions),
                        new SafetensorsWriter.Layout("index", DType.I64, test.length),
                        new SafetensorsWriter.Layout("function", DType.I64, test.length)))) {
            for (HeadImportance of : importance) {
                writer.append("importance", floats(of.values()));
            }
            writer.append("logits", logits);
            writer.append("index", longs(test));
            writer.append("function", longs(texts.functions(test)));
            writer.commit();
        }
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    private static long[] longs(int[] values) {
        return Arrays.stream(values).asLongStream().toArray();
    }
}
