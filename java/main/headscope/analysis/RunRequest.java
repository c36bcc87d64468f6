package headscope.analysis;

import java.nio.file.Path;

/**
 * What every analysis is asked for.
 *
 * @param model   folder of a checkpoint
 * @param out     the run folder to be
 * @param device  as {@link headscope.backend.Backend#open} takes it
 * @param command as it was typed, for the manifest
 */
public record RunRequest(
        Path model, Path out, String device, boolean resume, boolean overwrite, String command) {}
