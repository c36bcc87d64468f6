package headscope.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Reads from config.json which layers attend to a sliding window, and its size. */
final class WindowReader {
    private final ConfigFields fields;
    private final Family family;
    private final int layers;

    /** @param fields config.json with the family's defaults */
    WindowReader(ConfigFields fields, Family family, int layers) {
        this.fields = fields;
        this.family = family;
        this.layers = layers;
    }

    /** Per layer, the number of keys that a query attends to; 0 = all. */
    List<Integer> windows() {
        if (family == Family.MISTRAL && fields.has("layer_types")) {
            throw fields.wrong("layer_types", "makes this a ministral for transformers, which is not supported");
        }
        Optional<JsonNode> types = types();
        return switch (family) {
            case MISTRAL, PHI3 -> Collections.nCopies(layers, positiveIfPresent(window()));
            case QWEN2, QWEN3 -> {
                OptionalInt window = fields.flag("use_sliding_window") ? window() : OptionalInt.empty();
                int first = fields.count("max_window_layers");
                yield windows(types, window, layer -> window.isPresent() && layer >= first);
            }
            case GEMMA2, GPT_OSS -> windows(types, requiredWindow(), layer -> layer % 2 == 0);
            case GEMMA3_TEXT -> {
                int pattern = fields.positive("sliding_window_pattern");
                yield windows(types, requiredWindow(), layer -> (layer + 1) % pattern != 0);
            }
            default -> Collections.nCopies(layers, 0);
        };
    }

    private interface WindowedByDefault {
        boolean test(int layer);
    }

    private List<Integer> windows(Optional<JsonNode> types, OptionalInt window, WindowedByDefault byDefault) {
        return IntStream.range(0, layers)
                .map(layer -> types.map(list -> isSliding(list.get(layer))).orElseGet(() -> byDefault.test(layer))
                        ? windowOfSlidingLayer(window)
                        : 0)
                .boxed().toList();
    }

    private int windowOfSlidingLayer(OptionalInt window) {
        if (window.isEmpty()) {
            throw fields.wrong("sliding_window", "is missing, but layer_types contains sliding_attention"
                    + (fields.has("use_sliding_window") ? "; use_sliding_window must be true" : ""));
        }
        return positiveIfPresent(window);
    }

    private int positiveIfPresent(OptionalInt window) {
        if (window.isPresent() && window.getAsInt() == 0) {
            throw fields.wrong("sliding_window", "0 leaves no key to attend to; null means no window");
        }
        return window.orElse(0);
    }

    /** Empty for null, which means no window. */
    private OptionalInt window() {
        return fields.hasValue("sliding_window") ? requiredWindow() : OptionalInt.empty();
    }

    private OptionalInt requiredWindow() {
        return OptionalInt.of(fields.count("sliding_window"));
    }

    /** Checked for all families, used by those that have windowed and other layers. */
    private Optional<JsonNode> types() {
        Optional<JsonNode> types = fields.list("layer_types");
        types.ifPresent(list -> {
            if (list.size() != layers) {
                throw fields.wrong("layer_types", "%d entries for %d layers".formatted(list.size(), layers));
            }
            list.forEach(this::isSliding);
        });
        return types;
    }

    private boolean isSliding(JsonNode type) {
        return switch (type.asText()) {
            case "full_attention", "attention" -> false;
            case "sliding_attention" -> true;
            default -> throw fields.wrong("layer_types",
                    ConfigFields.printable(type) + " is not supported; supported are full_attention, sliding_attention");
        };
    }
}
