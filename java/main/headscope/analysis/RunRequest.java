package headscope.analysis;

import headscope.backend.DeviceChoice;
import headscope.model.ModelConfig;
import java.nio.file.Path;

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
 */
public record RunRequest(
        Path model, Path out, DeviceChoice device, boolean resume, boolean overwrite, String command, Fields fields) {
    /** Fields have their own names. */
    public RunRequest(
            Path model, Path out, DeviceChoice device, boolean resume, boolean overwrite, String command) {
        this(model, out, device, resume, overwrite, command, Fields.SAME);
    }


    /** @throws InputException if the model is bidirectional */
    public void requireCausal(ModelConfig config) {
        InputException.require(config.causal(), "%s: a %s model is bidirectional and predicts no next token; use a causal model"
                .formatted(model, config.family().modelType()));
    }
}
