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
 * Decoding steps of a model. A step of as many texts, of about the same length, is recorded when it is needed for the
 * second time: then one launch computes it, and one download of its tokens ends it.
 */
final class DecodingSteps implements AutoCloseable {
    /** Steps between two uploads of the numbers with which tokens are drawn. */
    private static final int DRAWS = 64;

    /** Recordings that are kept: each has its own temporary memory. */
    private static final int KEPT = 16;

    /** Pages of short texts; for longer ones a power of two. */
    private static final int LEAST_PAGES = 16;

    private final Transformer model;
    private final SequenceBatch sequence;
    private final Sampler sampler;
    /** Those that ran last, the newest at the end. */
    private final SequencedMap<DecodingTexts.Size, Step> steps = new LinkedHashMap<>();
    /** The step whose texts are on the device, if they are those of the last step. */
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

    /** Appends the next token of each text; empty, and nothing is done, if the device records nothing. */
    Optional<int[]> next(List<? extends Row> texts) {
        if (left == 0 || current.isEmpty() || !rows.equals(texts)) {
            current = begin(List.copyOf(texts));
        }
        return current.map(this::run);
    }

    /** Called when the texts have changed in another way. */
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

    /** The first step of its size runs by itself: it loads kernels and allocates what they share. */
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

    /** Empty if the driver does not record the step: the same operations are then launched one by one, here and later. */
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
