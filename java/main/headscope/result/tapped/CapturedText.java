package headscope.result.tapped;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.StoredTensor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Queries and keys of one text, from a file of {@code headscope_tap.save}.
 *
 * @param label  that the tap has given
 * @param ids    of the tokens; empty if the tap has not seen them
 * @param names  the text of each token, if the tap has a tokenizer; otherwise empty
 * @param layers each with all tokens; at least one
 */
public record CapturedText(Optional<String> label, int[] ids, List<String> names, List<TappedAttention> layers) {
    private static final String FORMAT = "headscope-captured";
    private static final String VERSION = "1";
    private static final Set<DType> FLOATING = EnumSet.of(DType.F32, DType.F16, DType.BF16);

    /** Whether a file begins as safetensors do: with the length of a header of JSON. */
    public static boolean seemsToBe(Path path) {
        try (InputStream file = Files.newInputStream(path)) {
            byte[] start = file.readNBytes(Long.BYTES + 1);
            return start.length > Long.BYTES && start[Long.BYTES] == '{';
        } catch (IOException unreadable) {
            return false;
        }
    }

    /** @throws ModelFormatException if the file is not one of headscope_tap.save */
    public static CapturedText read(Path path) {
        try (Safetensors file = Safetensors.open(path)) {
            if (!FORMAT.equals(file.metadata().get("format"))) {
                throw new ModelFormatException(path, "holds no captured queries and keys; write it with headscope_tap.save");
            }
            if (!VERSION.equals(file.metadata().get("version"))) {
                throw new ModelFormatException(path, "has version %s of captured queries and keys, this program reads version %s"
                        .formatted(file.metadata().get("version"), VERSION));
            }
            int[] ids = file.has("ids") ? ints(path, file.get("ids")) : new int[0];
            List<TappedAttention> layers = new Reading(path, file).layers();
            if (ids.length != 0 && ids.length != layers.getFirst().count()) {
                throw new ModelFormatException(path, "tensor ids", "has %d ids for %d tokens".formatted(ids.length, layers.getFirst().count()));
            }
            List<String> names = names(file.metadata().get("tokens"));
            if (!names.isEmpty() && names.size() != ids.length) {
                throw new ModelFormatException(path, "has %d names of tokens for %d ids".formatted(names.size(), ids.length));
            }
            return new CapturedText(Optional.ofNullable(file.metadata().get("label")), ids, names, layers);
        }
    }

    /** Number of tokens. */
    public int tokens() {
        return layers.getFirst().count();
    }

    /** The tokens, if the tap has seen their ids. */
    public Optional<TappedTokens> named() {
        List<String> each = names.isEmpty() ? Collections.nCopies(ids.length, "") : names;
        return ids.length == 0 ? Optional.empty() : Optional.of(new TappedTokens(1, 0, ids.length, ids, each));
    }

    /** @param joined each name followed by a zero byte; or null */
    private static List<String> names(String joined) {
        if (joined == null) {
            return List.of();
        }
        List<String> parts = List.of(joined.split("\0", -1));
        return parts.subList(0, parts.size() - 1); // behind the last zero byte there is nothing
    }

    private static int[] ints(Path path, StoredTensor tensor) {
        return Arrays.stream(tensor.longs()).mapToInt(value -> {
            if (value != (int) value) {
                throw new ModelFormatException(path, "tensor " + tensor.name(), "%d is out of range".formatted(value));
            }
            return (int) value;
        }).toArray();
    }

    /** Reads the layers of one file. */
    private record Reading(Path path, Safetensors file) {
        List<TappedAttention> layers() {
            float[] scales = file.get("scale").floats();
            int[] causal = ofEachLayer(file.get("causal"), scales.length);
            int[] windows = ofEachLayer(file.get("window"), scales.length);
            float[] softCaps = file.get("soft_cap").floats();
            if (scales.length == 0 || softCaps.length != scales.length) {
                throw new ModelFormatException(path, "holds the scales of %d layers and the soft caps of %d"
                        .formatted(scales.length, softCaps.length));
            }
            List<TappedAttention> layers = new ArrayList<>();
            for (int i = 0; i < scales.length; i++) {
                StoredTensor query = file.get("query." + i);
                StoredTensor key = file.get("key." + i);
                long[] shape = query.shape();
                float[] sinks = file.has("sinks." + i) ? file.get("sinks." + i).floats() : new float[0];
                requireShapes(query, key, sinks, layers);
                if (!Float.isFinite(scales[i]) || !Float.isFinite(softCaps[i]) || softCaps[i] < 0 || windows[i] < 0
                        || windows[i] > 0 && causal[i] == 0) {
                    throw new ModelFormatException(path, "layer " + i, "cannot attend with scale %s, soft cap %s and a window of %d tokens, %s"
                            .formatted(scales[i], softCaps[i], windows[i], causal[i] == 0 ? "bidirectional" : "causal"));
                }
                layers.add(new TappedAttention(
                        1, i, 0, (int) shape[0], (int) shape[0], (int) shape[1], (int) key.shape()[1], (int) shape[2],
                        scales[i], causal[i] != 0, windows[i], softCaps[i], sinks, DType.F32, values(query), values(key), 0));
            }
            return layers;
        }

        private int[] ofEachLayer(StoredTensor tensor, int layers) {
            int[] values = ints(path, tensor);
            if (values.length != layers) {
                throw new ModelFormatException(path, "tensor " + tensor.name(), "has %d values for %d layers".formatted(values.length, layers));
            }
            return values;
        }

        private void requireShapes(StoredTensor query, StoredTensor key, float[] sinks, List<TappedAttention> before) {
            long[] q = query.shape();
            long[] k = key.shape();
            boolean fit = q.length == 3 && k.length == 3 && q[0] >= 1 && q[0] == k[0] && q[2] == k[2] && q[2] >= 1
                    && k[1] >= 1 && q[1] >= 1 && q[1] % k[1] == 0 && (sinks.length == 0 || sinks.length == q[1])
                    && FLOATING.contains(query.dtype()) && FLOATING.contains(key.dtype());
            boolean likeBefore = before.isEmpty()
                    || q[0] == before.getFirst().count() && q[1] == before.getFirst().heads();
            if (!fit || !likeBefore) {
                throw new ModelFormatException(path, "tensors %s and %s".formatted(query.name(), key.name()),
                        "%s %s and %s %s with %d sinks are not queries and keys [tokens, heads, width] of one text".formatted(
                                query.dtype(), Arrays.toString(q), key.dtype(), Arrays.toString(k), sinks.length));
            }
        }

        private static MemorySegment values(StoredTensor tensor) {
            return MemorySegment.ofArray(tensor.floats());
        }
    }
}
