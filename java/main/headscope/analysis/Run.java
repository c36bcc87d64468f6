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
public final class Run implements AutoCloseable {
    /** What can be refused before the weights are read and before anything is written. */
    public interface Check {
        void accept(ModelConfig config, Tokenizer tokenizer);
    }

    public final RunRequest request;
    public final Backend backend;
    public final Tokenizer tokenizer;
    public final Transformer model;
    public final RunFolder folder;
    public final Provenance provenance;
    private final Resources opened = new Resources();
    private boolean worthKeeping;

    /** @param input texts and settings: whatever decides the numbers besides the model */
    public Run(RunRequest request, ObjectNode input, Check check) {
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
    public <T extends AutoCloseable> T add(T resource) {
        return opened.add(resource);
    }

    /** A run is continued only with what it was begun with. */
    public void requireSameInput() {
        onDisk(() -> {
            provenance.requireSame(folder);
            return folder;
        });
    }

    /** From now on there is something that a later run may resume. */
    public void keep() {
        worthKeeping = true;
    }

    /** A disk that fails leaves nothing behind, nor does a run that is refused before anything is worth keeping. */
    public <T> T onDisk(Supplier<T> work) {
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
    public Path place() {
        return folder.file(RunFolder.MANIFEST).getParent();
    }

    /** Makes the run folder appear. */
    public void commit() {
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
