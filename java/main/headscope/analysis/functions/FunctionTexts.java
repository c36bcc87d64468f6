package headscope.analysis.functions;

import headscope.analysis.Entries;
import headscope.analysis.Entry;
import headscope.analysis.InputException;
import headscope.analysis.Text;
import headscope.tensor.Printable;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Prompts with answers, each labelled with the cognitive function that it needs.
 *
 * @param functions the functions that occur: published ones in the published order, then others in the order of the file
 */
record FunctionTexts(Entries file, List<Text> texts, List<String> functions) {
    /** The order of the published figure (Cognitive Mirrors, arXiv 2512.10978). */
    static final List<String> PUBLISHED = List.of(
            "Knowledge Recall", "Retrieval", "Logical Reasoning", "Decision-making", "Semantic Understanding",
            "Syntactic Understanding", "Inference", "Math Calculation");

    /** The form of an entry, for messages. */
    static final String FORM =
            "{\"prompt\": \"...\", \"answer\": \"...\", \"function\": \"...\", \"split\": \"train\" or \"test\"}";

    /** @param test whether it is a test text; otherwise a training text */
    record Text(Entry entry, String prompt, String answer, String function, boolean test) {}

    static FunctionTexts of(Entries file) {
        List<Text> texts = file.entries().stream().map(FunctionTexts::text).toList();
        List<String> present = texts.stream().map(Text::function).distinct().toList();
        List<String> functions = Stream.concat(PUBLISHED.stream().filter(present::contains), present.stream())
                .distinct()
                .toList();
        FunctionTexts all = new FunctionTexts(file, texts, functions);
        all.requireEnough();
        return all;
    }

    private static Text text(Entry entry) {
        String split = entry.string("split");
        if (!split.equals("train") && !split.equals("test")) {
            throw entry.wrong("split must be \"train\" or \"test\", not %s".formatted(Printable.quote(split)));
        }
        String function = entry.string("function");
        if (function.isBlank() || List.of("layer", "head").contains(function)) {
            throw entry.wrong("\"function\" must not be blank, nor the name of the first columns of heads.csv, \"layer\" and"
                    + " \"head\", but is %s".formatted(Printable.quote(function)));
        }
        entry.requireUsed(Set.of("prompt", "answer", "function", "split"));
        return new Text(entry, entry.string("prompt"), entry.string("answer"), function, split.equals("test"));
    }

    /** A function needs training texts to be learned and test texts to average its importance over. */
    private void requireEnough() {
        if (functions.size() < 2) {
            throw new InputException("%s: all %d texts need %s; a probe needs two functions"
                    .formatted(file.name(), texts.size(), functions.getFirst()));
        }
        for (int function = 0; function < functions.size(); function++) {
            for (boolean test : new boolean[] {false, true}) {
                if (chosen(test, function).length == 0) {
                    throw new InputException("%s: no text of %s has split \"%s\"; each function needs both"
                            .formatted(file.name(), functions.get(function), test ? "test" : "train"));
                }
            }
        }
    }

    /** Index of a text's function among the functions. */
    int function(int text) {
        return functions.indexOf(texts.get(text).function());
    }

    /** The most frequent function of the training texts; the first of equally frequent ones. */
    int mostFrequent() {
        int most = 0;
        for (int function = 1; function < functions.size(); function++) {
            most = chosen(false, function).length > chosen(false, most).length ? function : most;
        }
        return most;
    }

    /** The functions of some texts. */
    int[] functions(int[] chosen) {
        return IntStream.of(chosen).map(this::function).toArray();
    }

    /** Indices of the training or the test texts, in the order of the file. */
    int[] split(boolean test) {
        return IntStream.range(0, texts.size()).filter(text -> texts.get(text).test() == test).toArray();
    }

    /** Indices of the training or the test texts that need a function. */
    int[] chosen(boolean test, int function) {
        return IntStream.of(split(test)).filter(text -> function(text) == function).toArray();
    }
}
