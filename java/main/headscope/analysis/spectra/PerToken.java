package headscope.analysis.spectra;

import static headscope.analysis.InputException.require;

import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.HeadName;
import headscope.analysis.InputException;
import headscope.metric.Metric;
import headscope.model.ModelConfig;
import headscope.result.Manifest;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The values of every token that a run stores.
 *
 * @param values one array per head and text each; empty = none are stored
 * @param heads  whose values are stored; empty = all heads
 */
public record PerToken(List<Value> values, List<HeadName> heads) {
    public static final PerToken NONE = new PerToken(List.of(), List.of());

    /** A value of one token in one head. Names and formulas are those of the metrics whose terms they are. */
    public enum Value {
        /** log a_ii. */
        ATTENTION_SCORE,
        /** c_i / (T - i) - a_ii, in the order of the tokens. */
        LAPLACIAN,
        /** a_ii, in the order of the tokens. */
        ATTENTION_EIGENVALUES,
        /** h_i = - sum_j a_ij log a_ij. */
        ENTROPY,
        /** h_i / log(i + 1); NaN for token 0. */
        NORMALISED_ENTROPY,
        /** sum_j a_ij |i - j|. */
        MEAN_DISTANCE,
        /** a_(i, i-1); NaN for token 0. */
        PREVIOUS_TOKEN,
        /** a_ii. */
        SELF_ATTENTION,
        /** max_j a_ij. */
        CONFIDENCE,
        /** c_i = sum_u a_ui, the attention that the token receives. Not a metric. */
        COLUMN_SUM;

        /** Name on the command line and of the tensor. */
        public String key() {
            return Manifest.keyword(this);
        }

        /** @throws InputException if there is no such value */
        static Value parse(String option, String key) {
            String name = key.strip().replace('-', '_');
            return Arrays.stream(values()).filter(value -> value.key().equals(name)).findFirst()
                    .orElseThrow(() -> new InputException("%s: %s; tokens have %s".formatted(option,
                            Metric.all(1).stream().anyMatch(metric -> metric.key().equals(name))
                                    ? name + " has no value per token"
                                    : "unknown metric \"%s\"".formatted(key),
                            Arrays.stream(values()).map(Value::key).collect(Collectors.joining(", ")))));
        }
    }

    public PerToken {
        values = List.copyOf(values);
        heads = List.copyOf(heads);
    }

    /**
     * Parses the options --per-token and --heads.
     *
     * @param values separated by commas
     * @param heads  separated by commas, or all
     */
    public static PerToken parse(Optional<String> values, Optional<String> heads) {
        require(values.isPresent() || heads.isEmpty(), "--heads has an effect only with --per-token METRIC,...");
        if (values.isEmpty()) {
            return NONE;
        }
        require(heads.isPresent(), "--per-token needs --heads L.H,... or --heads all");
        return new PerToken(
                Arrays.stream(values.get().split(",")).map(key -> Value.parse("--per-token", key)).distinct().toList(),
                heads.get().equals("all") ? List.of() : HeadName.parseList("--heads", heads.get()));
    }

    /** @throws InputException if the model does not have one of the heads */
    void requireIn(ModelConfig config) {
        heads.forEach(head -> head.requireIn("--heads", config));
    }

    /** The heads by name. */
    List<HeadName> heads(ModelConfig config) {
        return heads.isEmpty()
                ? IntStream.range(0, config.layers() * config.heads())
                        .mapToObj(head -> HeadName.of(head, config.heads())).toList()
                : heads;
    }

    /** Adds the settings to those of a run, if values are stored. */
    void describe(ObjectNode settings) {
        if (!values.isEmpty()) {
            ObjectNode entry = settings.putObject("per_token");
            values.stream().map(Value::key).forEach(entry.putArray("values")::add);
            (heads.isEmpty() ? List.of("all") : heads).forEach(head -> entry.withArray("/heads").add(head.toString()));
        }
    }
}
