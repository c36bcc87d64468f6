package headscope.analysis;

import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.backend.Backend;
import headscope.model.Checkpoint;
import headscope.model.ModelConfig;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.RunFolder;
import headscope.result.RunFolderException;
import headscope.tensor.DiskFailure;
import headscope.tensor.ModelFormatException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.function.ObjIntConsumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** What every analysis works with: a model on a device, its tokenizer, and the run folder that is being written. */
public final class Run implements AutoCloseable {
    /** Rejects input before the weights are read and before anything is written. */
    public interface Check {
        void accept(ModelConfig config, Tokenizer tokenizer);
    }

    public final RunRequest request;
    public final Backend backend;
    public final Tokenizer tokenizer;
    public final Transformer model;
    public final RunFolder folder;
    /** How texts that pass through the model together are chosen. */
    public final TextBatches batches;
    private final ModelFiles files;
    private final Supplier<Provenance> digesting;
    private Optional<Provenance> provenance = Optional.empty();
    private final BooleanSupplier digestsKnown;
    private boolean inputStored;
    /** Stores the first part, which is kept in memory while the model is being digested. */
    private Optional<Runnable> unstored = Optional.empty();
    private final Instant started = Instant.now();
    private final Resources resources = new Resources();
    private boolean worthKeeping;

    public final Notices notices = new Notices();

    /** @param input texts and settings: everything besides the model that determines the numbers */
    public Run(RunRequest request, ObjectNode input, Check check) {
        this(request, input, check, Digest::of);
    }

    /** @param digest of the files of the weights; on a thread of its own */
    Run(RunRequest request, ObjectNode input, Check check, Function<List<Path>, String> digest) {
        this.request = request;
        this.files = ModelFiles.of(request.model());
        try (Checkpoint checkpoint = Checkpoint.open(request.model())) {
            ModelDigests digests = ModelDigests.start(request.model(), checkpoint.tensors().files(), digest);
            String stored = Provenance.storedDtype(checkpoint.tensors());
            this.backend = resources.add(InputException.rejecting(
                    () -> Backend.open(request.device(), checkpoint::precision, notices)));
            this.digestsKnown = digests::areKnown;
            this.digesting =
                    () -> Provenance.of(request, checkpoint.config(), backend.precision(), stored, digests, input);
            this.tokenizer = resources.add(Tokenizer.open(
                    request.model(), checkpoint.config(), request.prompting().specialTokens()));
            check.accept(checkpoint.config(), tokenizer);
            tokenizer.repeatedBeginning().map(Prompting::repeated).ifPresent(notices);
            tokenizer.differences().forEach(notices);
            this.model = resources.add(new Transformer(checkpoint, backend));
            this.batches = TextBatches.of(request, backend);
            digests.settings();
            files.requireUnchanged();
            this.folder = resources.add(RunFolder.begin(request.out(), request.resume(), request.overwrite()));
            folder.notice().ifPresent(notices);
            this.worthKeeping = folder.resumed();
        } catch (Throwable failure) {
            resources.close();
            throw failure;
        }
    }

    /**
     * Waits for the digests of the model's files, which do not hold up the first text.
     *
     * @throws ModelFormatException if a file cannot be read or has changed since the run began
     */
    private synchronized Provenance provenance() {
        if (provenance.isEmpty()) {
            try {
                Provenance digested = backend.isGpu() ? digesting.get().inBatches(batches.tokens()) : digesting.get();
                files.requireUnchanged();
                provenance = Optional.of(digested);
            } catch (ModelFormatException failure) {
                if (!worthKeeping) {
                    discardAfter(failure);
                }
                throw failure;
            }
        }
        return provenance.get();
    }

    /** Registers a resource that is closed with the run; the last one registered is closed first. */
    public <T extends AutoCloseable> T add(T resource) {
        return resources.add(resource);
    }

    /** @throws InputException if the run resumes one that was started with another model, other texts or settings */
    public void requireSameInput() {
        if (folder.resumed()) {
            onDisk(() -> {
                storeInput();
                return folder;
            });
        }
    }

    /** Stores the input beside the first part that is stored; in a resumed run, compares it. */
    private synchronized void storeInput() {
        if (!inputStored) {
            provenance().requireSame(folder);
            inputStored = true;
        }
    }

    /**
     * Returns what an interrupted run has stored under a name; otherwise computes and stores it.
     *
     * @param name of the progress file, without its extension
     */
    public <T> T once(String name, ProgressFile<T> format, Supplier<T> work) {
        return parts(() -> together(List.of(name), format, () -> List.of(work.get())).getFirst());
    }

    /**
     * Like {@link #once}, for the values of texts that are computed together. If one value of a batch is not stored, all
     * are computed: on a GPU their last digits may depend on the batch.
     *
     * @param batches  indices of texts, of which every text has one
     * @param name     of a text's progress file
     * @param work     computes the values of a batch, one per text
     * @param kept     what is returned of a value, which may be smaller than what is stored
     * @param finished learns the number of finished texts after each batch
     * @return one value per text, in the order of their indices
     */
    public <T> List<T> inBatches(
            List<int[]> batches, IntFunction<String> name, ProgressFile<T> format, Function<int[], List<T>> work,
            UnaryOperator<T> kept, IntConsumer finished) {
        return parts(() -> {
            SortedMap<Integer, T> values = new TreeMap<>();
            for (int[] batch : batches) {
                List<T> some = together(Arrays.stream(batch).mapToObj(name).toList(), format, () -> work.apply(batch));
                for (int i = 0; i < batch.length; i++) {
                    values.put(batch[i], kept.apply(some.get(i)));
                }
                finished.accept(values.size());
            }
            return List.copyOf(values.values());
        });
    }

    /**
     * Like {@link #once}, for values that become known in any order.
     *
     * @param items    ascending
     * @param name     of an item's progress file
     * @param work     computes the values of the items that are not stored, and passes on each value with its item
     * @param kept     what is returned of a value, which may be smaller than what is stored
     * @param finished learns of each finished item
     * @return one value per item, in the order of the items
     */
    public <T> List<T> inAnyOrder(
            int[] items, IntFunction<String> name, ProgressFile<T> format, BiConsumer<int[], ObjIntConsumer<T>> work,
            UnaryOperator<T> kept, IntConsumer finished) {
        return parts(() -> {
            SortedMap<Integer, T> values = new TreeMap<>();
            for (int item : items) {
                Optional<T> stored = folder.resumed() ? format.read(progress(name.apply(item))) : Optional.empty();
                stored.ifPresent(value -> {
                    worthKeeping = true;
                    values.put(item, kept.apply(value));
                    finished.accept(item);
                });
            }
            work.accept(Arrays.stream(items).filter(item -> !values.containsKey(item)).toArray(), (value, item) -> {
                store(() -> format.write(progress(name.apply(item)), value));
                values.put(item, kept.apply(value));
                finished.accept(item);
            });
            return List.copyOf(values.values());
        });
    }

    private Path progress(String name) {
        return folder.progress(name + ".safetensors");
    }

    private <T> List<T> together(List<String> names, ProgressFile<T> format, Supplier<List<T>> work) {
        List<Path> files = names.stream().map(this::progress).toList();
        List<T> stored = folder.resumed()
                ? files.stream().map(format::read).flatMap(Optional::stream).toList()
                : List.of();
        if (stored.size() == files.size()) {
            worthKeeping = true;
            return stored;
        }
        List<T> values = work.get();
        store(() -> {
            for (int i = 0; i < files.size(); i++) {
                format.write(files.get(i), values.get(i));
            }
        });
        return values;
    }

    /** Stores a part beside the input. Before the digests are known, the first one is kept in memory until the next one or the end. */
    private void store(Runnable part) {
        Runnable storing = () -> {
            storeInput();
            part.run();
            worthKeeping = true;
        };
        if (inputStored || unstored.isPresent() || digestsKnown.getAsBoolean()) {
            storeFirst();
            storing.run();
        } else {
            unstored = Optional.of(storing);
        }
    }

    /** Waits for the digests if the first part has not been stored. */
    private void storeFirst() {
        Optional<Runnable> first = unstored;
        unstored = Optional.empty();
        first.ifPresent(Runnable::run);
    }

    /** Work that stores parts. When it ends or fails, the first one is stored as well. */
    private <T> T parts(Supplier<T> work) {
        return onDisk(() -> {
            T result;
            try {
                result = work.get();
            } catch (Throwable failure) {
                try {
                    storeFirst();
                } catch (RuntimeException another) {
                    failure.addSuppressed(another);
                }
                throw failure;
            }
            storeFirst();
            return result;
        });
    }

    /** Reads what {@link #once} has stored under a name, for work that does not keep it in memory. */
    public <T> T again(String name, ProgressFile<T> format) {
        Path file = progress(name);
        return format.read(file).orElseThrow(() -> new RunFolderException(file, "is missing or damaged; repeat the run"));
    }

    /**
     * Runs work that writes into the run folder. If the disk fails, what the run has finished is kept for a resumed run.
     * The folder is deleted only if nothing has been finished and the disk is not full, or if input is rejected before
     * a first part has been finished.
     */
    public <T> T onDisk(Supplier<T> work) {
        try {
            return work.get();
        } catch (UncheckedIOException | RunFolderException failure) {
            boolean noRoom = DiskFailure.noRoom(failure);
            if (noRoom || worthKeeping) {
                throw new RunFolderException(failure, "what the run has finished is kept: %s, then --resume"
                        .formatted(noRoom ? "make room (df -h, df -i)" : "mend this"));
            }
            discardAfter(failure);
            throw failure;
        } catch (InputException rejected) {
            if (!worthKeeping) {
                discardAfter(rejected);
            }
            throw rejected;
        }
    }

    /** A folder that cannot be deleted does not hide the reason. */
    private void discardAfter(RuntimeException failure) {
        try {
            folder.discard();
        } catch (RuntimeException remains) {
            failure.addSuppressed(remains);
        }
    }

    /** The common beginning of a manifest, to which an analysis adds its settings, conventions, results and caption. */
    public ObjectNode manifest(String analysis) {
        return provenance().manifest(analysis, request, backend.describe(), started);
    }

    /** The model as a caption names it: folder, family, layers x heads. */
    public String modelCaption() {
        return String.format(Locale.ROOT, "%s (%s, layers x heads: %d x %d)", request.model().toAbsolutePath().normalize().getFileName(),
                model.config().family().modelType(), model.config().layers(), model.config().heads());
    }

    Path place() {
        return folder.file(RunFolder.MANIFEST).getParent();
    }

    void commit() {
        onDisk(() -> {
            folder.commit();
            return folder;
        });
    }

    @Override
    public void close() {
        resources.close();
    }
}
