package headscope.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs the benchmark of viewers if the first argument is {@code live}, that of reading weights if it is {@code weights}, that of
 * weights in 16 bits if it is {@code kept}, otherwise the benchmarks selected by JMH's arguments; writes the numbers to -rff FILE.json and a table to FILE.md.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0 && arguments[0].equals("live")) {
            LiveBenchmark.run(List.of(arguments).subList(1, arguments.length));
            return;
        }
        if (arguments.length > 0 && arguments[0].equals("weights")) {
            WeightsBenchmark.run(List.of(arguments).subList(1, arguments.length));
            return;
        }
        if (arguments.length > 0 && arguments[0].equals("kept")) {
            KeptWeightsBenchmark.run(List.of(arguments).subList(1, arguments.length));
            return;
        }
        CommandLineOptions given = new CommandLineOptions(arguments);
        Path json = Path.of(given.getResult().orElse("target/benchmarks.json"));
        Machine machine = Machine.now();
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .parent(given)
                        .addProfiler(GCProfiler.class)
                        .addProfiler(PeakMemory.class)
                        .resultFormat(ResultFormatType.JSON)
                        .result(json.toString())
                        .build())
                .run();
        String report = machine.describe(String.join(" ", arguments)) + ResultTable.of(results);
        Files.writeString(Path.of(json.toString().replaceFirst("(\\.json)?$", ".md")), report);
        System.out.println(report);
    }
}
