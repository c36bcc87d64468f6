package headscope.model;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.model.ModelConfig.Positions;
import java.util.List;
import java.util.Optional;

/**
 * Reads the rotary position embeddings of config.json as transformers 5.18 does: from rope_parameters, or from the older
 * rope_scaling, which takes precedence. Both may leave rope_theta and partial_rotary_factor to the keys beside them.
 */
final class RopeReader {
    private final ConfigFields fields;
    private final Family family;
    private final int headDim;

    /** @param fields config.json with the family's defaults */
    RopeReader(ConfigFields fields, Family family, int headDim) {
        this.fields = fields;
        this.family = family;
        this.headDim = headDim;
    }

    /** @param windows per layer, 0 for a layer without; Gemma 3 has another rotation in windowed layers */
    Positions positions(List<Integer> windows) {
        boolean perKind = family == Family.GEMMA3_TEXT;
        Rope global = perKind ? fullAttention() : allLayers();
        Rope local = perKind ? slidingAttention() : global;
        return new Positions(maxTokens(global), windows.stream()
                .map(window -> Optional.of(window > 0 ? local : global).filter(rope -> rope.rotated() > 0))
                .toList());
    }

    /** Longer texts are possible where the scaling extends the model beyond max_position_embeddings. */
    private int maxTokens(Rope rope) {
        int stated = fields.positive("max_position_embeddings");
        double extended = switch (rope.scaling()) {
            case Rope.Linear s when family != Family.GEMMA3_TEXT -> stated * s.factor();
            case Rope.Yarn s -> s.originalTokens() * s.factor();
            default -> stated;
        };
        return (int) Math.max(stated, extended);
    }

    private Rope allLayers() {
        ConfigFields object = fields.findObject("rope_scaling").filter(scaling -> !scaling.isEmpty())
                .orElseGet(() -> fields.object("rope_parameters", defaultParameters()));
        for (String layers : new String[] {"full_attention", "sliding_attention"}) {
            if (object.has(layers)) {
                throw object.wrong(layers, "is not supported: all layers of %s have the same rotation"
                        .formatted(family.modelType()));
            }
        }
        boolean neox = family == Family.GPT_NEOX;
        // This key, unlike those that are inherited, takes precedence.
        boolean original = fields.has("original_max_position_embeddings");
        return rope((original ? object.without("original_max_position_embeddings") : object)
                .inherit("rope_theta", fields, neox ? "rotary_emb_base" : "rope_theta")
                .inherit("partial_rotary_factor", fields, neox ? "rotary_pct" : "partial_rotary_factor")
                .inherit("original_max_position_embeddings", fields,
                        original ? "original_max_position_embeddings" : "max_position_embeddings"),
                object);
    }

    private ObjectNode defaultParameters() {
        ObjectNode parameters = JsonNodeFactory.instance.objectNode();
        return family == Family.GPT_OSS
                ? parameters.put("rope_type", "yarn").put("factor", 32).put("beta_fast", 32).put("beta_slow", 1)
                        .put("truncate", false).put("original_max_position_embeddings", 4096)
                : parameters;
    }

    private Rope fullAttention() {
        Optional<ConfigFields> scaling = fields.findObject("rope_scaling");
        ConfigFields parameters = parameters();
        if (scaling.isPresent() && fields.hasValue("rope_parameters") && !parameters.hasValue("full_attention")) {
            throw fields.wrong("rope_scaling", "requires full_attention in rope_parameters, or no rope_parameters");
        }
        ConfigFields unscaled = parameters.object("full_attention", plain());
        return perKind(scaling.map(unscaled::updatedBy).orElse(unscaled), "rope_theta");
    }

    private Rope slidingAttention() {
        return perKind(parameters().object("sliding_attention", plain()), "rope_local_base_freq");
    }

    private Rope perKind(ConfigFields object, String thetaField) {
        return rope(object.inherit("rope_theta", fields, thetaField)
                .inherit("partial_rotary_factor", fields, "partial_rotary_factor")
                .inherit("original_max_position_embeddings", fields, "max_position_embeddings"), parameters());
    }

    private ConfigFields parameters() {
        return fields.object("rope_parameters", JsonNodeFactory.instance.objectNode());
    }

    private static ObjectNode plain() {
        return JsonNodeFactory.instance.objectNode().put("rope_type", "default");
    }

    /** @param outer holds "truncate", which transformers reads from rope_parameters also if these are per kind of layer */
    private Rope rope(ConfigFields object, ConfigFields outer) {
        String typeField = object.has("type") && !object.has("rope_type") ? "type" : "rope_type";
        String type = object.has(typeField) ? object.text(typeField) : "default";
        if (family == Family.PHI3 && !type.equals("default")) {
            throw object.wrong("rope_type", "\"%s\" is not supported; supported is default".formatted(type));
        }
        double theta = object.positiveNumber("rope_theta");
        return new Rope(theta, rotated(object, type), switch (type) {
            // Up to max_position_embeddings tokens, a dynamic rotation is unscaled; longer texts are rejected.
            case "default" -> new Rope.Unscaled();
            case "dynamic" -> {
                object.positiveNumber("factor");
                yield new Rope.Unscaled();
            }
            case "linear" -> new Rope.Linear(object.positiveNumber("factor"));
            case "llama3" -> llama3(object);
            case "yarn" -> yarn(object, outer);
            default -> throw object.wrong("rope_type",
                    "\"%s\" is not supported; supported are default, linear, dynamic, llama3, yarn".formatted(type));
        });
    }

    /** Leading elements of a head that are rotated. */
    private int rotated(ConfigFields object, String type) {
        boolean partial = family == Family.GPT_NEOX || family == Family.PHI3;
        // The other families ignore the factor in unscaled rotations, and fail in scaled ones.
        boolean given = partial || !type.equals("default") && object.hasValue("partial_rotary_factor");
        double factor = given ? object.number("partial_rotary_factor") : 1;
        int rotated = (int) (headDim * factor);
        if (partial ? rotated > headDim - rotated % 2 : rotated != headDim || headDim % 2 != 0) {
            throw object.wrong("partial_rotary_factor",
                    "%s of %d elements of a head cannot be rotated".formatted(factor, headDim));
        }
        if (type.equals("yarn") && rotated % 2 != 0 && rotated != 3) {
            throw object.wrong(
                    "partial_rotary_factor", "yarn cannot rotate an odd number of elements, %d".formatted(rotated));
        }
        return rotated;
    }

    private static Rope.Llama3 llama3(ConfigFields object) {
        double low = object.positiveNumber("low_freq_factor");
        double high = object.positiveNumber("high_freq_factor");
        if (high <= low) {
            throw object.wrong("high_freq_factor", "must be greater than low_freq_factor");
        }
        return new Rope.Llama3(
                object.positiveNumber("factor"), low, high, object.positiveNumber("original_max_position_embeddings"));
    }

    private Rope.Yarn yarn(ConfigFields object, ConfigFields outer) {
        if (object.positiveNumber("rope_theta") <= 1) {
            throw object.wrong("rope_theta", "must be greater than 1 for yarn");
        }
        if (!object.has("factor")) {
            throw object.wrong("factor", "is missing");
        }
        double original = object.positiveNumber("original_max_position_embeddings");
        double factor = object.hasValue("factor")
                ? object.positiveNumber("factor")
                : fields.positive("max_position_embeddings") / original;
        return new Rope.Yarn(
                factor, orDefault(object, "beta_fast", 32), orDefault(object, "beta_slow", 1), original,
                !outer.has("truncate") || outer.hasValue("truncate") && outer.flag("truncate"),
                object.hasValue("attention_factor") ? object.number("attention_factor") : magnitude(object, factor));
    }

    private static double magnitude(ConfigFields object, double factor) {
        double scale = orDefault(object, "mscale", 0);
        double scaleOfAll = orDefault(object, "mscale_all_dim", 0);
        return scale > 0 && scaleOfAll > 0
                ? magnitude(scale, factor) / magnitude(scaleOfAll, factor)
                : magnitude(1, factor);
    }

    private static double magnitude(double scale, double factor) {
        return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
    }

    /** The default also applies to 0 and null. */
    private static double orDefault(ConfigFields object, String field, double byDefault) {
        double value = object.hasValue(field) ? object.number(field) : 0;
        return value == 0 ? byDefault : value;
    }
}
