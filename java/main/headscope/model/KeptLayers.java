package headscope.model;

import headscope.backend.Backend;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory in which a forward pass keeps the activations of whole layers for its backward pass, which computes those of the
 * other layers again. The results are the same bits either way.
 */
final class KeptLayers implements AutoCloseable {
    private long most;
    private final long bytesPerRow;
    private final List<Workspace> memory = new ArrayList<>();
    private final List<LayerActivations> layers = new ArrayList<>();
    private int count;
    private long claims;

    /** @param most bytes of all layers together; a tape keeps the input of every layer besides */
    KeptLayers(ModelConfig config, Backend backend, long most) {
        this.most = most;
        this.bytesPerRow = LayerActivations.bytesPerRow(config, backend);
        for (int layer = 0; layer < config.layers(); layer++) {
            memory.add(new Workspace(backend));
            layers.add(new LayerActivations(config, memory.getLast(), true));
        }
    }

    /** Makes room for a pass over so many rows; what an earlier pass has kept is lost. @return the claim, for {@link #find} */
    long claim(int rows) {
        count = (int) Math.min(layers.size(), most / (bytesPerRow * rows));
        memory.subList(count, memory.size()).forEach(Workspace::clear);
        return ++claims;
    }

    /** The activations of a layer; shared ones if it is not kept, or no longer. */
    LayerActivations find(long claim, int layer, LayerActivations shared) {
        return claim == claims && layer < count ? layers.get(layer) : shared;
    }

    /** Frees all memory and keeps nothing from now on. @return whether something was kept */
    boolean giveUp() {
        boolean gave = count > 0;
        most = 0;
        count = 0;
        memory.forEach(Workspace::clear);
        return gave;
    }

    @Override
    public void close() {
        memory.forEach(Workspace::close);
    }
}
