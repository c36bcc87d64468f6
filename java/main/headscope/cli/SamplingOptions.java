package headscope.cli;

import static headscope.analysis.InputException.rejecting;

import headscope.model.Sampler;
import picocli.CommandLine.Option;

/** How the next token is chosen. */
final class SamplingOptions {
    @Option(names = "--temperature", paramLabel = "X",
            description = "Sampling temperature; 0 selects the most probable token (default: ${DEFAULT-VALUE}).")
    double temperature = Sampler.GREEDY.temperature();

    @Option(names = "--top-p", paramLabel = "X",
            description = "Sample from the smallest set of most probable tokens whose total probability reaches X"
                    + " (default: ${DEFAULT-VALUE}).")
    double topP = Sampler.GREEDY.topP();

    Sampler sampler() {
        return rejecting(() -> new Sampler(temperature, topP));
    }
}
