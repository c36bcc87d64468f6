package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.ChildJvm;
import headscope.analysis.Overflow;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.tensor.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
            saliency  | --average --texts data/grounding.jsonl                       | data/grounding.jsonl: line 1: the logits are not finite
            functions | --texts data/functions.jsonl                                 | a head's output is not finite
            gates     | --task Math=data/math.jsonl --quick --limit 4 --updates 1,1,1 | an answer's probability is not a number with gated heads
            """)
    void everyAnalysisSaysWhatToDo(String analysis, String options, String fault) throws IOException {
        Path model = overflowing();
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

    /** The demo model; the weights of the first layer's queries, keys and values are the largest BF16 number. */
    private Path overflowing() throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        for (String name : List.of("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json")) {
            Files.copy(Path.of("models/demo", name), model.resolve(name));
        }
        byte[] file = Files.readAllBytes(Path.of("models/demo/model.safetensors"));
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int header = Math.toIntExact(bytes.getLong(0));
        JsonNode offsets = new ObjectMapper().readTree(Arrays.copyOfRange(file, 8, 8 + header))
                .at("/transformer.h.0.attn.c_attn.weight/data_offsets");
        for (int at = 8 + header + offsets.get(0).intValue(); at < 8 + header + offsets.get(1).intValue(); at += 2) {
            bytes.putShort(at, (short) 0x7f7f);
        }
        Files.write(model.resolve("model.safetensors"), file);
        return model;
    }
}
