package headscope.analysis;

import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.backend.Backend;
import headscope.model.Checkpoint;
import headscope.model.ModelConfig;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.result.RunFolder;
import headscope.result.RunFolderException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** What every analysis works with: a model on a device, its tokenizer, and the run folder to be. */
final class Run implements AutoCloseable {
    /** What can be refused before the weights are read and before anything is written. */
    interface Check {
        void accept(ModelConfig config, Tokenizer tokenizer);
    }

    final RunRequest request;
    final Backend backend;
    final Tokenizer tokenizer;
    final Transformer model;
    final RunFolder folder;
    final Provenance provenance;
    private final Opened opened = new Opened();
    private boolean worthKeeping;

    /** @param input texts and settings: whatever decides the numbers besides the model */
    Run(RunRequest request, ObjectNode input, Check check) {
        this.request = request;
        try (Checkpoint checkpoint = Checkpoint.open(request.model())) {
            CompletableFuture<Provenance> reading = Provenance.read(request, checkpoint, input);
            List<String> notices = new ArrayList<>();
            this.backend = opened.add(Backend.open(request.device(), notices::add));
            this.tokenizer = opened.add(Tokenizer.open(request.model()));
            check.accept(checkpoint.config(), tokenizer);
            this.model = opened.add(new Transformer(checkpoint, backend));
            this.provenance = reading.join();
            this.folder = opened.add(RunFolder.begin(request.out(), request.resume(), request.overwrite()));
            this.worthKeeping = folder.resumed();
            notices.forEach(line -> System.err.println("headscope: " + line));
        } catch (Throwable failure) {
            opened.close();
            throw failure;
        }
    }

    /** Closed with the run, before what it was made of. */
    <T extends AutoCloseable> T add(T resource) {
        return opened.add(resource);
    }

    /** A run is continued only with what it was begun with. */
    void requireSameInput() {
        onDisk(() -> {
            provenance.requireSame(folder);
            return folder;
        });
    }

    /** From now on there is something that a later run may resume. */
    void keep() {
        worthKeeping = true;
    }

    /** A disk that fails leaves nothing behind, nor does a run that is refused before anything is worth keeping. */
    <T> T onDisk(Supplier<T> work) {
        try {
            return work.get();
        } catch (UncheckedIOException | RunFolderException failure) {
            folder.discard();
            throw failure;
        } catch (InputException refused) {
            if (!worthKeeping) {
                folder.discard();
            }
            throw refused;
        }
    }

    /** Where the files stand until {@link #commit}. */
    Path place() {
        return folder.file(RunFolder.MANIFEST).getParent();
    }

    /** Makes the run folder appear. */
    void commit() {
        onDisk(() -> {
            folder.commit();
            return folder;
        });
    }

    @Override
    public void close() {
        opened.close();
    }
}
