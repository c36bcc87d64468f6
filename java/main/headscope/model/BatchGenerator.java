package headscope.model;

import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Generates tokens after many prompts, several at a time: when a text ends, the next prompt takes its place, and is read
 * beside the tokens of the others in the same passes. (Continuous batching: Yu et al. 2022, Orca, OSDI.) The tokens of a
 * text, and up to rounding its attention, are those of {@link Generator}, whatever texts are beside it.
 *
 * @param maxNewTokens at least 1
 * @param size         how many texts and tokens there are in a pass
 * @param statistics   whether attention statistics are collected
 */
public record BatchGenerator(Transformer model, Sampler sampler, int maxNewTokens, Size size, boolean statistics) {
    /** On a GPU, prompts enter when one in so many places is free: steps in which no prompt is read are launched as a whole. */
    private static final int ENTERING = 8;

    /**
     * The size of a pass.
     *
     * @param texts maximum number of texts at a time
     * @param rows  number of tokens of a pass from which no other prompt joins it
     * @param chunk maximum number of tokens of one prompt in a pass, so that a long prompt does not hold up the others
     */
    public record Size(int texts, int rows, int chunk) {
        public Size {
            if (texts < 1 || rows < 1 || chunk < 1) {
                throw new IllegalArgumentException("%d texts, %d rows, chunks of %d".formatted(texts, rows, chunk));
            }
        }
    }

    /**
     * A text to continue.
     *
     * @param ids    the prompt's tokens, at least one
     * @param given  tokens that follow in place of generated ones; empty if the model generates
     * @param random used for this text alone
     * @param stop   tested after each generated token with all new tokens so far; true ends the text
     */
    public record Prompt(int[] ids, int[] given, RandomGenerator random, Predicate<int[]> stop) {}

    /** Receives the texts in the order in which they end. */
    public interface Ended {
        /**
         * @param index    of the prompt
         * @param tokens   the new tokens, of which the model has not read the last
         * @param sequence with the attention statistics of the text in this slot, valid until the method returns
         */
        void text(int index, int[] tokens, SequenceBatch sequence, int slot);
    }

    public BatchGenerator {
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException("maxNewTokens must be at least 1, not " + maxNewTokens);
        }
    }

    /** A prompt that has a slot. */
    private final class Text implements DecodingSteps.Row {
        final int index;
        final int slot;
        final Prompt prompt;
        final Sampler.Marks marks;
        int read;
        int[] tokens = {};
        boolean ended;

        Text(int index, int slot, Prompt prompt) {
            this.index = index;
            this.slot = slot;
            this.prompt = prompt;
            this.marks = new Sampler.Marks(prompt.random());
        }

        @Override
        public int slot() {
            return slot;
        }

        @Override
        public int token() {
            return tokens[tokens.length - 1];
        }

        @Override
        public double[] marks(int count) {
            return marks.ahead(count);
        }

        @Override
        public void drawn(int token) {
            marks.drawn();
            add(token);
        }

        @Override
        public boolean endsNext() {
            return tokens.length + 1 == maxNewTokens;
        }

        @Override
        public boolean hasEnded() {
            return ended;
        }

        /** Whether the model has read the prompt. */
        boolean decoding() {
            return read == prompt.ids().length;
        }

        boolean generates() {
            return prompt.given().length == 0;
        }

        /** What it reads in the next pass. */
        SequenceBatch.Part next() {
            return new SequenceBatch.Part(slot, decoding()
                    ? new int[] {token()}
                    : Arrays.copyOfRange(prompt.ids(), read, Math.min(prompt.ids().length, read + size.chunk())));
        }

        void add(int token) {
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = token;
            ended = ends();
        }

        private boolean ends() {
            if (!generates()) {
                return tokens.length == prompt.given().length;
            }
            boolean end = model.config().vocabulary().endOfText().contains(token());
            return end || tokens.length == maxNewTokens || prompt.stop().test(tokens);
        }
    }

    /** Maximum number of tokens of a text that the model reads. */
    private int most(Prompt prompt) {
        return Math.addExact(prompt.ids().length, prompt.given().length == 0 ? maxNewTokens : prompt.given().length) - 1;
    }

    /**
     * Generates after each prompt until the end-of-text token, {@link #maxNewTokens} tokens, or its {@code stop}.
     *
     * @param hook observes every pass
     */
    public void generate(List<Prompt> prompts, LayerHook hook, Ended ended) {
        int[] lengths = prompts.stream().mapToInt(this::most).sorted().toArray();
        if (lengths.length == 0) {
            return;
        }
        int texts = Math.min(size.texts(), lengths.length);
        long all = Arrays.stream(lengths, lengths.length - texts, lengths.length).asLongStream().sum();
        try (SequenceBatch sequence = model.sequences(texts, lengths[lengths.length - 1], all, statistics);
                DecodingSteps steps = new DecodingSteps(model, sequence, sampler)) {
            List<Text> running = new ArrayList<>();
            int together = model.backend().isGpu() ? Math.max(1, texts / ENTERING) : 1;
            int waiting = enter(prompts, 0, sequence, running);
            while (!running.isEmpty()) {
                if (!decode(sequence, steps, running, hook)) {
                    steps.interrupt();
                    step(sequence, running, hook);
                }
                end(sequence, running, ended);
                if (texts - running.size() >= together) {
                    waiting = enter(prompts, waiting, sequence, running);
                }
            }
        }
    }

    /** @return the first prompt that finds no place */
    private int enter(List<Prompt> prompts, int first, SequenceBatch sequence, List<Text> running) {
        for (int i = first; i < prompts.size(); i++) {
            OptionalInt slot = sequence.begin(most(prompts.get(i)));
            if (slot.isEmpty()) {
                return i;
            }
            running.add(new Text(i, slot.getAsInt(), prompts.get(i)));
        }
        return prompts.size();
    }

    /**
     * Generates one token of each text in a step on the device. This is possible if all prompts have been read, no text has
     * given tokens, the hook observes no layer, and the backend offers {@link headscope.backend.DecodingTexts}.
     *
     * <p>The next step is launched before the host knows the tokens of this one, and tests whether they end a text.
     *
     * @return whether the step was made
     */
    private boolean decode(SequenceBatch sequence, DecodingSteps steps, List<Text> running, LayerHook hook) {
        if (!steps.launched()) {
            boolean possible =
                    hook.onlyCounts() && running.stream().allMatch(text -> text.decoding() && text.generates());
            if (!possible || !steps.launch(running)) {
                return false;
            }
        }
        steps.launchAhead(running);
        hook.passed(steps.receive());
        return true;
    }

    /** One pass: a token of each text that is being continued, and parts of prompts. */
    private void step(SequenceBatch sequence, List<Text> running, LayerHook hook) {
        List<Text> texts = new ArrayList<>(running.stream().filter(Text::decoding).toList());
        List<SequenceBatch.Part> parts = new ArrayList<>(texts.stream().map(Text::next).toList());
        int rows = parts.size();
        for (Text text : running) {
            if (!text.decoding() && (rows == 0 || rows + text.next().ids().length <= size.rows())) {
                texts.add(text);
                parts.add(text.next());
                rows += text.next().ids().length;
            }
        }
        Tensor hidden = model.forward(sequence, parts, hook);
        int row = 0;
        List<Text> drawing = new ArrayList<>();
        List<Integer> last = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            Text text = texts.get(i);
            int count = parts.get(i).ids().length;
            row += count;
            if (!text.decoding()) {
                text.read += count;
            }
            if (text.decoding() && text.generates()) {
                drawing.add(text);
                last.add(row - 1);
            } else if (text.decoding()) {
                text.add(text.prompt.given()[text.tokens.length]);
            }
        }
        draw(hidden, drawing, last.stream().mapToInt(Integer::intValue).toArray());
    }

    private void end(SequenceBatch sequence, List<Text> running, Ended ended) {
        for (Text text : List.copyOf(running)) {
            if (text.hasEnded()) {
                ended.text(text.index, text.tokens, sequence, text.slot);
                sequence.end(text.slot);
                running.remove(text);
            }
        }
    }

    /** The next token of each text, from these rows of the output of the last layer. */
    private void draw(Tensor hidden, List<Text> texts, int[] rows) {
        if (!texts.isEmpty()) {
            int[] words = sampler.next(model.backend(), model.logits(hidden, rows),
                    texts.stream().map(text -> text.marks).toList());
            for (int i = 0; i < words.length; i++) {
                texts.get(i).add(words[i]);
            }
        }
    }
}
