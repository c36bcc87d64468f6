package headscope.analysis.answers;

import static headscope.analysis.InputException.require;
import static headscope.analysis.InputException.requireCount;

import headscope.analysis.RunRequest;
import headscope.result.RunFolderException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The settings of {@code headscope answer}.
 *
 * @param run     {@code out} is the file of answers
 * @param texts   path of a file of prompts, or "-" for standard input
 * @param samples number of answers to each prompt
 * @param limit   number of prompts from the beginning of the file; 0 = all
 */
public record AnswersRequest(RunRequest run, String texts, Answering answering, int samples, int limit) {
    public static final int MAX_SAMPLES = 10_000;

    private static final String ENDING = ".jsonl";

    public AnswersRequest {
        require(limit >= 0, "--limit must be at least 1, not " + limit);
        requireCount("--samples", samples, 1, MAX_SAMPLES);
        require(samples == 1 || answering.sampler().temperature() > 0,
                "--samples %d: all samples are equal at temperature 0; give --temperature, such as 0.7".formatted(samples));
        Path out = run.out();
        require(out.toString().toLowerCase(Locale.ROOT).endsWith(ENDING) && out.getFileName().toString().length() > ENDING.length(),
                "%s: answers are written as JSON lines; give --out a file that ends in %s".formatted(out, ENDING));
        require(texts.equals("-") || !Path.of(texts).toAbsolutePath().normalize().equals(out.toAbsolutePath().normalize()),
                out + ": is both --texts and --out; choose another --out");
        require(Files.exists(out) || !Files.isSymbolicLink(out), out + ": is a broken link; remove it, or choose another --out");
        require(!Files.isDirectory(out), out + ": is a folder; give --out a file");
        require(run.overwrite() || !Files.exists(out), out + ": already exists; choose another --out, or use --overwrite");
    }

    /** The file that is written: if {@code out} is a link, what it points to. */
    Path place() {
        try {
            return Files.isSymbolicLink(run.out()) ? run.out().toRealPath() : run.out().toAbsolutePath().normalize();
        } catch (IOException failure) {
            throw new RunFolderException(run.out(), failure);
        }
    }

    /** The run with a folder beside the file, where finished answers are until the file is complete. */
    RunRequest unfinished() {
        Path place = place();
        return new RunRequest(run.model(), place.resolveSibling(place.getFileName() + ".run"), run.device(), run.resume(),
                run.overwrite(), run.command(), run.fields(), run.prompting(), run.batchTokens());
    }
}
