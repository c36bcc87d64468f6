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

/**
 * Decoding steps of a model. The step for a {@link DecodingTexts.Size} is recorded when it is needed for the second time;
 * from then on, it is one launch and one download of its tokens.
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
    private boolean records = true;

    /** A text that has a slot. */
    interface Row {
        int slot();

        /** The token that the model reads next. */
        int token();

        /** The numbers with which its next tokens will be drawn. */
        double[] marks(int count);
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

    /** Appends the next token of each text; empty, without any effect, if the backend has no {@link DecodingTexts}. */
    Optional<int[]> next(List<? extends Row> texts) {
        if (left == 0 || current.isEmpty() || !rows.equals(texts)) {
            current = begin(List.copyOf(texts));
        }
        return current.map(this::run);
    }

    /** Called before the texts change in another way. */
    void interrupt() {
        current = Optional.empty();
    }

    private Optional<Step> begin(List<Row> texts) {
        int longest = texts.stream().mapToInt(row -> sequence.tokens(row.slot())).max().orElseThrow();
        int pages = Math.max(LEAST_PAGES, Integer.highestOneBit(longest / PageTable.TOKENS) * 2);
        int draws = sampler.temperature() == 0 ? 0 : DRAWS;
        DecodingTexts.Size size = new DecodingTexts.Size(texts.size(), pages, draws);
        Optional<Step> found = Optional.ofNullable(steps.remove(size))
                .or(() -> model.backend().decoding(size).map(Step::new));
        if (found.isEmpty()) {
            return found;
        }
        Step step = found.get();
        steps.putLast(size, step);
        if (steps.size() > KEPT) {
            steps.pollFirstEntry().getValue().close();
        }
        step.texts.set(texts.stream().map(row -> new DecodingTexts.Text(row.slot(), sequence.tokens(row.slot()),
                row.token(), sequence.pages(row.slot()), row.marks(draws))).toList(), sequence.findStatistics(0));
        rows = texts;
        left = size.tokens() - longest;
        left = draws == 0 ? left : Math.min(left, draws);
        return found;
    }

    /** The first step of a size is launched kernel by kernel: it loads kernels and allocates what they share. */
    private int[] run(Step step) {
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
        sequence.grow(rows.stream().mapToInt(Row::slot).toArray());
        left--;
        return step.texts.tokens();
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
