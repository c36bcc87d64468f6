package headscope.analysis;

import headscope.backend.DeviceChoice;
import headscope.model.ModelConfig;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * The settings that all analyses share.
 *
 * @param model     folder of a checkpoint
 * @param out       run folder to be written
 * @param device    where and in which precision to compute
 * @param resume    continue an interrupted run into {@code out}
 * @param overwrite replace an earlier run in {@code out}
 * @param command   the command as typed, for the manifest
 * @param fields    other names of fields in the files of texts
 * @param prompting how messages become prompts, and prompts tokens
 * @param batchTokens maximum number of tokens that pass through the model together; empty = by device
 */
public record RunRequest(
        Path model, Path out, DeviceChoice device, boolean resume, boolean overwrite, String command, Fields fields,
        Prompting prompting, OptionalInt batchTokens) {
    public RunRequest {
        InputException.require(batchTokens.orElse(1) >= 1,
                "--batch-tokens must be at least 1, not " + batchTokens.orElse(1));
    }

    /** Fields have their own names, and prompts are made in the standard way. */
    public RunRequest(
            Path model, Path out, DeviceChoice device, boolean resume, boolean overwrite, String command) {
        this(model, out, device, resume, overwrite, command, Fields.SAME, Prompting.standard(),
                OptionalInt.empty());
    }

    /**
     * Reads a file of texts, in which messages become prompts by the model's chat template.
     *
     * @param source a path, or "-" for standard input
     * @param form   the form of an entry, for messages
     */
    public Entries read(String source, InputStream standardInput, String form) {
        return prompting.written(Entries.read(source, standardInput, fields, form), model);
    }

    /** @throws InputException if the model is bidirectional */
    public void requireCausal(ModelConfig config) {
        InputException.require(config.causal(), "%s: a %s model is bidirectional and predicts no next token; use a causal model"
                .formatted(model, config.family().modelType()));
    }
}
