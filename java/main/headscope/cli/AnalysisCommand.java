package headscope.cli;

import headscope.analysis.Analysis;
import headscope.analysis.Progress;
import headscope.analysis.RunRequest;
import headscope.cli.terminal.InterruptHint;
import headscope.cli.terminal.ProgressLine;
import headscope.picture.Legend;
import headscope.result.Manifest;
import headscope.tensor.Printable;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * A command that runs one analysis: computes, prints a summary, draws the figures and publishes the run folder.
 *
 * @param <R> the request
 * @param <A> the analysis
 * @param <S> the summary of its results
 */
abstract sealed class AnalysisCommand<R, A extends Analysis, S> implements Callable<Integer>
        permits SpectraCommand, SaliencyCommand, FunctionsCommand, GatesCommand {
    @Spec
    CommandSpec spec;

    @Mixin
    RunOptions run = new RunOptions();

    abstract R request(RunRequest run);

    /** Opens the analysis, which validates all input. */
    abstract A open(R request);

    /** Runs all stages with their progress lines and writes the result files. */
    abstract S compute(A analysis);

    abstract void print(S summary, PrintStream out);

    /** Names of the result files, {@code manifest.json} last. */
    abstract List<String> files(S summary);

    @Override
    public Integer call() {
        try (PictureFiles pictures = new PictureFiles()) {
            run(request(), System.out, pictures);
        }
        return 0;
    }

    /** The request on the command line. */
    final R request() {
        return request(run.request(arguments()));
    }

    /** The arguments of the program. */
    final List<String> arguments() {
        return spec.commandLine().getParent().getParseResult().originalArgs();
    }

    /** Why there is no figure of such results, and what to do; empty if there is one. */
    Optional<String> undrawn(S summary, Path folder) {
        return Optional.empty();
    }

    final void run(R request, PrintStream out, PictureFiles pictures) {
        try (A analysis = open(request)) {
            analysis.run().notices.sendTo(HeadscopeCommand::warn);
            S summary = compute(analysis);
            Path folder = analysis.run().request.out();
            publish(summary, folder,
                    () -> analysis.run().onDisk(() -> pictures.drawIfPossible(analysis.folder(), folder)),
                    analysis::commit, out);
        }
    }

    /**
     * Prints the summary, draws the figures and publishes the run folder.
     *
     * @param folder to be published by {@code commit}
     * @param draw   draws the figures, if this machine can
     */
    final void publish(S summary, Path folder, Supplier<List<Path>> draw, Runnable commit, PrintStream out) {
        print(summary, out);
        Optional<String> undrawn = undrawn(summary, folder);
        List<Path> figures = undrawn.isPresent() ? List.of() : draw.get();
        commit.run();
        out.println();
        figures.forEach(figure -> out.printf("Figure: %s%n", folder.resolve(figure.getFileName())));
        if (!figures.isEmpty()) {
            out.println(Legend.of(Manifest.read(folder)));
        }
        out.printf("Data: %s (%s)%n", folder, String.join(", ", files(summary)));
        undrawn.ifPresent(reason -> HeadscopeCommand.warn("no figure: " + reason));
    }

    /** Runs a stage with a progress line; unit in the plural. */
    static void stage(String task, String unit, Consumer<Progress> work) {
        try (ProgressLine progress = new ProgressLine(task, unit)) {
            work.accept(progress);
        }
    }

    /**
     * Runs a stage whose finished parts --resume skips.
     *
     * @param out  what the command writes
     * @param unit of the progress line, in the plural
     * @param part that is stored once it is finished, in the singular
     */
    @SuppressWarnings("try") // the hint is there to be closed
    static void resumableStage(Path out, String task, String unit, String part, Consumer<Progress> work) {
        try (InterruptHint hint = interruptHint(out, "after the last finished " + part)) {
            stage(task, unit, work);
        }
    }

    /** @param where the command would continue */
    static InterruptHint interruptHint(Path out, String where) {
        return new InterruptHint("headscope: interrupted; the same command with --resume --out %s continues %s"
                .formatted(Printable.line(out.toString()), where));
    }
}
