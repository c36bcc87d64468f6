package headscope.analysis.functions;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.Run;
import headscope.result.FunctionsResult;
import headscope.result.Manifest;

/** The manifest of a functions run. */
final class FunctionsManifest {
    private FunctionsManifest() {}

    /** Everything that determines the numbers. */
    static ObjectNode input(FunctionsRequest request, FunctionTexts texts) {
        ObjectNode input = new ObjectMapper().createObjectNode();
        input.set("texts", texts.file().provenance());
        FunctionsRequest.Training training = request.training();
        ObjectNode settings = input.putObject("settings");
        settings.put("answer_tokens", Manifest.keyword(request.tokens()));
        settings.put("join", Manifest.keyword(request.join()));
        settings.put("projection", training.projection());
        settings.put("hidden", training.hidden());
        settings.put("dropout", training.dropout());
        settings.put("epochs", training.epochs());
        settings.put("batch", training.batch());
        settings.put("rate", training.rate());
        settings.put("decay", training.decay());
        settings.put("order", Manifest.keyword(training.order()));
        settings.put("seed", request.seed());
        request.ablation().ifPresent(ablation -> {
            ObjectNode mask = settings.putObject("mask");
            ablation.heads().ifPresentOrElse(heads -> mask.put("heads", heads), () -> mask.put("heads", "elbow"));
            mask.put("factor", ablation.factor());
            mask.put("draws", ablation.draws());
        });
        return input;
    }

    static Manifest of(Run run, FunctionsRequest request, FunctionsSummary found) {
        ObjectNode manifest = run.manifest(FunctionsResult.ANALYSIS);
        manifest.put(FunctionsResult.SHOWN, Manifest.keyword(request.shown()));
        request.top().ifPresent(top -> manifest.put(FunctionsResult.TOP, top));
        ObjectNode conventions = manifest.putObject("conventions");
        conventions.put("tokens", "prompt and answer in one pass, the answer as the file gives it; the token before"
                + " predicts; the last token is not fed back");
        conventions.put("features", "mean head output over the rows that predict the chosen answer tokens, beside the"
                + " layer's mean; not normalised");
        conventions.put("importance", "mean over test texts of the function of the mean over a head's projection of p *"
                + " d logit / d p; signed, dropout off");
        conventions.put("elbow", "in descending order of |importance|, the heads before the point farthest from the chord");
        conventions.put("mask", "head outputs times the factor from the row on that predicts the first answer token;"
                + " random heads are drawn from all but the top ones");
        ObjectNode samples = manifest.putObject("samples");
        samples.put("train", found.train());
        samples.put("test", found.test());
        ObjectNode accuracy = manifest.putObject("accuracy");
        accuracy.put("probe", found.accuracy());
        accuracy.put("chance", found.chance());
        accuracy.put("majority", found.majority());
        manifest.put("loss", found.loss());
        manifest.put("threshold", found.threshold());
        ArrayNode functions = manifest.putArray("functions");
        for (FunctionsSummary.Function function : found.functions()) {
            ObjectNode entry = functions.addObject();
            entry.put("name", function.name());
            entry.put("test", function.test());
            entry.put("accuracy", function.accuracy());
            entry.put("answered", function.answered());
            entry.put("before_elbow", function.beforeElbow());
            entry.put("above_threshold", function.above());
        }
        manifest.put("caption", caption(run, request, found));
        return new Manifest(manifest);
    }

    private static String caption(Run run, FunctionsRequest request, FunctionsSummary found) {
        return ("%s; %s of a probe that tells %d functions apart with accuracy %.3f on %d test texts (chance %.3f).")
                .formatted(run.modelCaption(),
                        switch (request.shown()) {
                            case ABSOLUTE -> "absolute importance of each head";
                            case POSITIVE -> "importance of each head, where it is positive,";
                        },
                        found.functions().size(), found.accuracy(), found.test(), found.chance());
    }
}
