package headscope.analysis;

import headscope.model.ModelConfig;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A head, written LAYER.HEAD; both counted from 0, as in heads.csv. */
public record HeadName(int layer, int head) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,6})\\.(\\d{1,6})");

    /** @param option the option that takes it, for messages */
    public static HeadName parse(String option, String text) {
        Matcher parts = FORM.matcher(text.strip());
        if (!parts.matches()) {
            throw new InputException("%s: \"%s\" is not a head; write LAYER.HEAD, both counted from 0, such as 10.5"
                    .formatted(option, text));
        }
        return new HeadName(Integer.parseInt(parts.group(1)), Integer.parseInt(parts.group(2)));
    }

    /**
     * The name of a head of which only the index among the heads of all layers is known.
     *
     * @param heads number of heads in a layer
     */
    public static HeadName of(int index, int heads) {
        return new HeadName(index / heads, index % heads);
    }

    /** Parses heads separated by commas. */
    public static List<HeadName> parseList(String option, String text) {
        return Arrays.stream(text.split(",")).map(one -> parse(option, one)).distinct().toList();
    }

    /** @throws InputException if the model has no such head */
    public void requireIn(String option, ModelConfig config) {
        if (layer >= config.layers() || head >= config.heads()) {
            throw new InputException("%s: there is no head %s; the model has %d layers of %d heads, counted from 0"
                    .formatted(option, this, config.layers(), config.heads()));
        }
    }

    @Override
    public String toString() {
        return layer + "." + head;
    }
}
