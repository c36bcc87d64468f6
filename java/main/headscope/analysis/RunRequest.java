package headscope.analysis;

import headscope.backend.DeviceChoice;
import java.nio.file.Path;

/**
 * What every analysis is asked for.
 *
 * @param model   folder of a checkpoint
 * @param out     the run folder to be
 * @param device  where and how to compute
 * @param command as it was typed, for the manifest
 */
public record RunRequest(
        Path model, Path out, DeviceChoice device, boolean resume, boolean overwrite, String command) {}
