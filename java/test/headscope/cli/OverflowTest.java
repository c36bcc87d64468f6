package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.OverflowingModel;
import headscope.analysis.Overflow;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model whose values overflow, in every analysis: the message says what to do. */
class OverflowTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            spectra   | --texts data/qa.jsonl --limit 4 --k 1                        | attention of layer 0, head 0 is not finite
            saliency  | --text horse                                                 | --text: the logits are not finite
            saliency  | --average --texts data/grounding.jsonl                       | data/grounding.jsonl: line 7: the logits are not finite
            functions | --texts data/functions.jsonl                                 | a head's output is not finite
            gates     | --task Math=data/math.jsonl --quick --limit 4 --updates 1,1,1 | an answer's probability is not a number with gated heads
            """)
    void everyAnalysisSaysWhatToDo(String analysis, String options, String fault) throws IOException {
        Path model = folder.resolve("model");
        OverflowingModel.write(model);
        List<String> command = List.of(analysis, "--model", model.toString(), "--device", "cpu",
                "--out", folder.resolve("run").toString());
        ChildJvm.Result result = CommandLineTest.headscope(CommandLineTest.with(command, options.split(" ")));
        assertEquals(2, result.status(), result.err());
        assertTrue(result.err().contains(fault + "; the model overflows in f32: find the operation with --check"), result.err());
        assertFalse(Files.exists(folder.resolve("run")));

        result = CommandLineTest.headscope(CommandLineTest.with(CommandLineTest.with(command, options.split(" ")),
                "--check", "--overwrite"));
        assertEquals(2, result.status(), result.err());
        assertTrue(result.err().contains("linear: element 0 of its result"), result.err());
    }

    @Test
    void smallTypesNameLargerOnes() {
        try (Backend half = Devices.emulated(DType.F16);
                Backend brain = Devices.emulated(DType.BF16)) {
            assertEquals("the model overflows in f16: use --dtype bf16 or f32", Overflow.remedy(half));
            assertTrue(Overflow.remedy(brain).startsWith("the model overflows in bf16: find the operation with --check"));
        }
    }
}
