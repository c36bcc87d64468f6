package headscope.analysis.saliency;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.Entries;
import headscope.analysis.HeadName;
import headscope.analysis.Run;
import headscope.result.Manifest;
import headscope.result.SaliencyColumn;
import headscope.result.SaliencyResult;
import java.util.List;
import java.util.Optional;

/** The manifest of a saliency run. */
final class SaliencyManifest {
    private SaliencyManifest() {}

    /** Everything that determines the values of a text; the enlarged head is not part of it. */
    static ObjectNode input(SaliencyRequest request, Optional<Entries> file) {
        ObjectNode input = new ObjectMapper().createObjectNode();
        request.text().ifPresent(text -> input.put("text", text));
        file.ifPresent(texts -> input.set("texts", texts.provenance()));
        ObjectNode settings = input.putObject("settings");
        request.target().ifPresent(word -> settings.put("target", word));
        settings.put("join", Manifest.keyword(request.join()));
        request.groups().ifPresent(groups -> settings.put("groups", groups));
        settings.put("objective", request.objective().option());
        settings.put(SaliencyResult.CELL, Manifest.keyword(request.view().cell()));
        settings.put("skip_first", request.view().skipFirst());
        settings.put("average", request.average());
        if (!request.ablation().heads().isEmpty()) {
            heads(settings.putArray("ablate"), request.ablation().heads());
            settings.put("random", request.ablation().random());
            settings.put("seed", request.ablation().seed());
        }
        return input;
    }

    static Manifest of(Run run, SaliencyFindings found) {
        SaliencyRequest request = found.request();
        ObjectNode manifest = run.manifest(SaliencyResult.ANALYSIS);
        manifest.put(SaliencyResult.TRANSPOSE, request.view().transpose());
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
        manifest.putObject(SaliencyResult.HEAD)
                .put(SaliencyResult.LAYER, found.head().layer()).put(SaliencyResult.HEAD, found.head().head());
        ObjectNode roles = manifest.putObject("heads_above_share_threshold");
        found.aggregate().ifPresent(some -> heads(roles.putArray("aggregate"), some));
        heads(roles.putArray("gather"), found.above(SaliencyColumn.GATHER_SHARE));
        found.ablated().ifPresent(ablated -> {
            ObjectNode entry = manifest.putObject("ablated");
            heads(entry.putArray("heads"), ablated.heads());
            entry.put("texts", ablated.texts());
            entry.put("surprisal", ablated.before());
            entry.put("change", ablated.change());
            ablated.random().forEach(entry.putArray("random_change")::add);
        });
        manifest.put(SaliencyResult.UNIT, found.detail().betweenGroups() ? unit(request) + " between groups" : unit(request));
        manifest.put(SaliencyResult.OVERVIEW_UNIT, unit(request));
        manifest.put("caption", caption(run, found, found.head()));
        for (HeadName head : request.view().maps()) {
            manifest.withArray("/" + SaliencyResult.MAPS).addObject()
                    .put(SaliencyResult.LAYER, head.layer()).put(SaliencyResult.HEAD, head.head())
                    .put(SaliencyResult.MAP_CAPTION, caption(run, found, head));
        }
        return new Manifest(manifest);
    }

    private static void heads(ArrayNode array, List<HeadName> heads) {
        heads.forEach(head -> array.add(head.toString()));
    }

    /** Unit of the elements of token maps. */
    private static String unit(SaliencyRequest request) {
        return request.average() ? "mean saliency" : "saliency";
    }

    private static String caption(Run run, SaliencyFindings found, HeadName head) {
        SaliencyRequest.View view = found.request().view();
        String grid = switch (view.cell()) {
            case MAX -> "the largest element of each head's map";
            case MEAN -> "the mean element of each head's map";
            case THUMBNAIL -> "each head's map";
            case SHARE -> "share of each head's saliency that goes from the target's earlier place to the last token";
        };
        return ("%s; |A dL/dA|, L the %s%s. Left: %s%s. Right: layer %d, head %d, "
                + "counted from 1 as on the axes (--head %s, counted from 0).")
                .formatted(run.modelCaption(), found.objective(),
                        found.texts().size() == 1
                                ? " (probability %.3f)".formatted(found.probability())
                                : ", mean of %d texts".formatted(found.texts().size()),
                        grid, view.skipFirst() ? ", the first token's column left out" : "",
                        head.layer() + 1, head.head() + 1, head);
    }
}
