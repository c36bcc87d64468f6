package headscope.model;

import headscope.backend.DecodingTexts;
import headscope.backend.DeviceException;
import headscope.backend.DeviceMemoryException;
import headscope.backend.PageTable;
import headscope.backend.Recording;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/**
 * Decoding steps of a model. The step for a {@link DecodingTexts.Size} is recorded when it is needed for the second time;
 * from then on, it is one launch and one download of its tokens.
 *
 * <p>A step can be launched ahead, before the tokens of the step before it have been received, so that the device does not
 * wait for the host. What it computes for a text that these tokens end is dropped: its token is not passed on; its row is not
 * counted, and added to the column sums only after they were last read; its key and value take a place that the text has but
 * does not need.
 */
final class DecodingSteps implements AutoCloseable {
    /** Maximum number of steps between two uploads of the numbers with which tokens are drawn. */
    private static final int DRAWS = 64;

    /** Maximum number of recordings: each has its own temporary memory. */
    private static final int KEPT = 16;

    /** Minimum number of pages per text; larger numbers are powers of two. */
    private static final int LEAST_PAGES = 16;

    private final Transformer model;
    private final SequenceBatch sequence;
    private final Sampler sampler;
    /** The most recently used last. */
    private final SequencedMap<DecodingTexts.Size, Step> steps = new LinkedHashMap<>();
    /** The step that ran last, if its texts on the device are up to date. */
    private Optional<Step> current = Optional.empty();
    private List<Row> rows = List.of();
    private int left;
    /** Number of steps whose tokens have not been received. */
    private int launched;
    private boolean records = true;

    /** A text that has a slot. */
    interface Row {
        int slot();

        /** The token that the model reads next. */
        int token();

        /** The numbers with which its next tokens will be drawn. */
        double[] marks(int count);

        /** Receives the next token. */
        void drawn(int token);

        /** Whether it ends with the next token, whatever this is. */
        boolean endsNext();

        boolean hasEnded();
    }

    private static final class Step implements AutoCloseable {
        final DecodingTexts texts;
        /** {@link Transformer#moves} before the last step. */
        long moves = -1;
        Optional<Recording> recording = Optional.empty();

        Step(DecodingTexts texts) {
            this.texts = texts;
        }

        void forget() {
            recording.ifPresent(Recording::close);
            recording = Optional.empty();
        }

        @Override
        public void close() {
            forget();
            texts.close();
        }
    }

    DecodingSteps(Transformer model, SequenceBatch sequence, Sampler sampler) {
        this.model = model;
        this.sequence = sequence;
        this.sampler = sampler;
    }

    /** Whether a step has been launched whose tokens texts wait for. */
    boolean launched() {
        return launched > 0 && !rows.stream().allMatch(Row::hasEnded);
    }

    /**
     * Launches the step in which these texts read their next tokens; no other step is launched.
     *
     * @return false, without any effect, if the backend has no {@link DecodingTexts}
     */
    boolean launch(List<? extends Row> texts) {
        if (left == 0 || current.isEmpty() || !rows.equals(texts)) {
            interrupt();
            current = begin(List.copyOf(texts));
        }
        current.ifPresent(this::run);
        return current.isPresent();
    }

    /** Launches the step that follows the one that is launched, if it has the same texts for certain. */
    void launchAhead(List<? extends Row> texts) {
        if (left > 0 && rows.equals(texts) && rows.stream().noneMatch(Row::endsNext)) {
            current.ifPresent(this::run);
        }
    }

    /**
     * Waits for the tokens of the first step that is launched, which the texts that have not ended receive.
     *
     * @return how many these are
     */
    int receive() {
        Step step = current.orElseThrow();
        int[] tokens = step.texts.tokens();
        launched--;
        if (launched > 0) {
            step.texts.send();
        }
        int[] texts = IntStream.range(0, tokens.length).filter(i -> !rows.get(i).hasEnded()).toArray();
        sequence.grow(IntStream.of(texts).map(i -> rows.get(i).slot()).toArray());
        for (int i : texts) {
            rows.get(i).drawn(tokens[i]);
        }
        if (rows.stream().anyMatch(Row::hasEnded)) {
            complete();
        }
        return texts.length;
    }

    /** Called before the texts change in another way. */
    void interrupt() {
        complete();
        launched = 0;
        current = Optional.empty();
    }

    /** Adds the last rows to the statistics, unless a step that is launched does. */
    private void complete() {
        if (launched == 0) {
            current.ifPresent(step -> step.texts.addRows());
            current = Optional.empty();
        }
    }

    private Optional<Step> begin(List<Row> texts) {
        int longest = texts.stream().mapToInt(row -> sequence.tokens(row.slot())).max().orElseThrow();
        int pages = Math.max(LEAST_PAGES, Integer.highestOneBit(longest / PageTable.TOKENS) * 2);
        int draws = sampler.temperature() == 0 ? 0 : DRAWS;
        DecodingTexts.Size size = new DecodingTexts.Size(texts.size(), pages, draws);
        Optional<Step> found = Optional.ofNullable(steps.remove(size))
                .or(() -> sequence.decoding(size).map(Step::new));
        if (found.isEmpty()) {
            return found;
        }
        Step step = found.get();
        steps.putLast(size, step);
        if (steps.size() > KEPT) {
            steps.pollFirstEntry().getValue().close();
        }
        step.texts.set(texts.stream().map(row -> new DecodingTexts.Text(row.slot(), sequence.tokens(row.slot()),
                row.token(), sequence.pages(row.slot()), row.marks(draws))).toList());
        rows = texts;
        left = size.tokens() - longest;
        left = draws == 0 ? left : Math.min(left, draws);
        return found;
    }

    /** The first step of a size is launched kernel by kernel: it loads kernels and allocates what they share. */
    private void run(Step step) {
        Runnable operations = () -> model.step(sequence, step.texts, sampler);
        if (step.moves != model.moves()) {
            step.forget();
            operations.run();
            step.moves = model.moves();
        } else {
            if (step.recording.isEmpty() && records) {
                step.recording = record(step, operations);
            }
            step.recording.ifPresentOrElse(Recording::launch, operations);
        }
        left--;
        launched++;
        if (launched == 1) {
            step.texts.send();
        }
    }

    /** Empty if the driver cannot record the step: this and later steps are then launched kernel by kernel. */
    private Optional<Recording> record(Step step, Runnable operations) {
        try {
            return Optional.of(step.texts.record(operations));
        } catch (DeviceMemoryException exhausted) {
            throw exhausted;
        } catch (DeviceException refused) {
            records = false;
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        steps.values().forEach(Step::close);
    }
}
