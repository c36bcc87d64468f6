package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Optional;

/**
 * What a forward pass over a batch keeps for the backward pass: the residual stream between the layers and, as far as there
 * is memory, the activations of the layers.
 */
public final class Tape implements AutoCloseable {
    private final Batch batch;
    private final Pass pass;
    private final Optional<HeadGates> gates;
    private final Tensor residuals;
    private final KeptLayers kept;
    private final long claim;
    private final LayerActivations shared;

    /**
     * @param pass   is closed with the tape
     * @param shared activations of layers that are not kept
     */
    Tape(
            ModelConfig config, Backend backend, Batch batch, Pass pass, Optional<HeadGates> gates, KeptLayers kept,
            LayerActivations shared) {
        this.batch = batch;
        this.pass = pass;
        this.gates = gates;
        this.kept = kept;
        this.claim = kept.claim(batch.rows());
        this.shared = shared;
        this.residuals = backend.allocate(DType.F32, config.layers() + 1L, batch.rows(), config.hidden());
    }

    public Batch batch() {
        return batch;
    }

    Pass pass() {
        return pass;
    }

    Optional<HeadGates> gates() {
        return gates;
    }

    /** Input of a layer [rows, hidden]; index layers holds the output of the last layer. */
    Tensor residual(int layer) {
        return residuals.rows(layer, 1).as(residuals.size(1), residuals.size(2));
    }

    LayerActivations activations(int layer) {
        return kept.find(claim, layer, shared);
    }

    /** Output of the last layer [rows, hidden]. */
    public Tensor hidden() {
        return residual(Math.toIntExact(residuals.size(0) - 1));
    }

    @Override
    public void close() {
        residuals.buffer().close();
        pass.close();
    }
}
