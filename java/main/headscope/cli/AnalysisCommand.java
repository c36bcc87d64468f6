package headscope.cli;

import headscope.analysis.Progress;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What the commands that fill a run folder have in common. */
abstract sealed class AnalysisCommand implements Callable<Integer>
        permits SpectraCommand, SaliencyCommand, FunctionsCommand, GatesCommand {
    @Spec
    CommandSpec spec;

    /** @param typed what followed the program's name */
    abstract void run(List<String> typed);

    @Override
    public final Integer call() {
        run(spec.commandLine().getParent().getParseResult().originalArgs());
        return 0;
    }

    /**
     * Long work that --resume goes on with.
     *
     * @param unit of the bar, in the plural
     * @param kept what a resumed run need not do again, in the singular
     */
    @SuppressWarnings("try") // the hint is there to be closed
    static void resumable(String task, String unit, String kept, Consumer<Progress> work) {
        try (ProgressLine progress = new ProgressLine(task, unit);
                Interruption hint = new Interruption(
                        "headscope: interrupted; --resume goes on behind the last finished " + kept)) {
            work.accept(progress);
        }
    }
}
