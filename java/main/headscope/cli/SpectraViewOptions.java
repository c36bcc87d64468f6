package headscope.cli;

import static headscope.analysis.InputException.rejecting;
import static headscope.analysis.InputException.require;

import headscope.metric.Metric;
import headscope.result.SpectraView;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What the figure of a spectra run shows. */
final class SpectraViewOptions {
    @Option(names = "--draw", paramLabel = "METRIC,...",
            description = "Tested metrics to draw, one panel each (default: those of --test).")
    Optional<String> draw = Optional.empty();

    @Option(names = "--show", paramLabel = "p|log10p|q|effect|auroc",
            description = "Quantity to draw: the p-value, its decimal logarithm, p corrected for the number of heads (q), the"
                    + " rank-biserial correlation, or the AUROC of each head (default: p).")
    Optional<SpectraView.Shown> shown = Optional.empty();

    @Option(names = "--mark-significant", description = "Put a dot on heads with q below the threshold.")
    boolean marked;

    @Option(names = "--threshold", paramLabel = "X",
            description = "Threshold of q for the dots; implies --mark-significant (default: 0.05).")
    Optional<Double> threshold = Optional.empty();

    /** Whether an option was given. */
    boolean given() {
        return draw.isPresent() || shown.isPresent() || marked || threshold.isPresent();
    }

    /** The view with the given options in place of its own values. */
    SpectraView over(SpectraView view) {
        threshold.ifPresent(x -> require(x > 0 && x <= 1, "--threshold must be above 0 and at most 1, not " + x));
        return new SpectraView(
                draw.map(names -> keys("--draw", names)).orElse(view.drawn()), shown.orElse(view.shown()),
                view.marked() || marked || threshold.isPresent(), threshold.orElse(view.threshold()));
    }

    /**
     * The keys of metrics.
     *
     * @param names separated by commas
     */
    static List<String> keys(String option, String names) {
        return rejecting(option, () -> Metric.parseList(names, 1)).stream().map(Metric::key).distinct().toList();
    }
}
