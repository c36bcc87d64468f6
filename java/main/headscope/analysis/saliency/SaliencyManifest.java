package headscope.analysis.saliency;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.JsonLines;
import headscope.analysis.Run;
import headscope.result.Manifest;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What a saliency run was, for its manifest. */
final class SaliencyManifest {
    private SaliencyManifest() {}

    /** What decides the values of a text; which head is enlarged does not. */
    static ObjectNode input(SaliencyRequest request, Optional<JsonLines> file) {
        ObjectNode input = new ObjectMapper().createObjectNode();
        request.text().ifPresent(text -> input.put("text", text));
        file.ifPresent(lines -> input.set("texts", lines.provenance()));
        ObjectNode settings = input.putObject("settings");
        request.target().ifPresent(word -> settings.put("target", word));
        request.groups().ifPresent(groups -> settings.put("groups", groups));
        settings.put("objective", request.objective().option());
        settings.put("cell", request.view().cell().option());
        settings.put("skip_first", request.view().skipFirst());
        settings.put("average", request.average());
        if (!request.ablation().heads().isEmpty()) {
            heads(settings.putArray("ablate"), request.ablation().heads());
            settings.put("random", request.ablation().random());
            settings.put("seed", request.ablation().seed());
        }
        return input;
    }

    static Manifest of(Run run, SaliencyFindings found, Instant started) {
        SaliencyRequest request = found.request();
        ObjectNode manifest = run.provenance.manifest("saliency", request.run(), run.backend.describe(), started);
        manifest.put("transpose", request.view().transpose());
        ObjectNode conventions = manifest.putObject("conventions");
        conventions.put("saliency", "|a_ij dL/da_ij| of each head, no sum over heads; row i receives, column j is the source");
        conventions.put("position", "L is taken at the text's last token");
        conventions.put("heads", "counted from 0 here, in heads.csv and on the command line; from 1 in the picture");
        conventions.put("average", "of absolute values, text by text");
        conventions.put("share_threshold", "%s (unverified in the source)".formatted(request.threshold()));
        manifest.put("objective", found.objective());
        manifest.put("probability", found.probability());
        if (found.texts().size() == 1) {
            manifest.put("target", found.word(found.observations().getFirst().target()));
        }
        manifest.putObject("head").put("layer", found.head().layer()).put("head", found.head().head());
        ObjectNode roles = manifest.putObject("heads_above_share_threshold");
        found.aggregate().ifPresent(some -> heads(roles.putArray("aggregate"), some));
        heads(roles.putArray("gather"), found.above("gather_share"));
        found.silenced().ifPresent(silenced -> {
            ObjectNode entry = manifest.putObject("silenced");
            heads(entry.putArray("heads"), silenced.heads());
            entry.put("texts", silenced.texts());
            entry.put("surprisal", silenced.before());
            entry.put("change", silenced.change());
            silenced.random().forEach(entry.putArray("random_change")::add);
        });
        manifest.put("unit", unit(request));
        manifest.put("caption", caption(found));
        return new Manifest(manifest);
    }

    private static void heads(ArrayNode array, List<HeadName> heads) {
        heads.forEach(head -> array.add(head.toString()));
    }

    /** Of the enlarged map; an overview in the same unit shares its colours. */
    private static String unit(SaliencyRequest request) {
        return request.average() ? "mean saliency" : "saliency";
    }

    private static String caption(SaliencyFindings found) {
        SaliencyRequest.View view = found.request().view();
        String grid = switch (view.cell()) {
            case MAX -> "the largest element of each head's map";
            case MEAN -> "the mean element of each head's map";
            case THUMBNAIL -> "each head's map";
            case SHARE -> "share of each head's saliency that goes from the target's earlier place to the last token";
        };
        return ("%s (%s, layers x heads: %d x %d); |A dL/dA|, L the %s%s. Left: %s%s. Right: layer %d, head %d, "
                + "counted from 1 as on the axes (--head %s, counted from 0).")
                .formatted(found.request().run().model().toAbsolutePath().normalize().getFileName(),
                        found.config().family().modelType(), found.config().layers(), found.config().heads(),
                        found.objective(),
                        found.texts().size() == 1
                                ? " (probability %.3f)".formatted(found.probability())
                                : ", mean of %d texts".formatted(found.texts().size()),
                        grid, view.skipFirst() ? ", the first token's column left out" : "",
                        found.head().layer() + 1, found.head().head() + 1, found.head());
    }
}
