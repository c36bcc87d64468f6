package headscope.analysis.gates;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.Run;
import headscope.result.GateScore;
import headscope.result.GatesResult;
import headscope.result.Manifest;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/** The manifest of a gates run. */
final class GatesManifest {
    private GatesManifest() {}

    /** Everything that determines the gates. */
    static ObjectNode input(GatesRequest request, List<GateFiles> files) {
        ObjectNode input = new ObjectMapper().createObjectNode();
        ArrayNode tasks = input.putArray(GatesResult.TASKS);
        for (GateFiles ofTask : files) {
            ObjectNode task = tasks.addObject();
            task.put(GatesResult.NAME, ofTask.task().name());
            task.set("texts", ofTask.retained().provenance());
            ofTask.forgotten().ifPresent(file -> task.set(GatesResult.FORGET, file.provenance()));
        }
        ObjectNode settings = input.putObject("settings");
        settings.put("join", Manifest.keyword(request.join()));
        settings.put("seeds", request.seeds());
        ArrayNode schedules = settings.putArray("schedules");
        for (GatesRequest.Schedule schedule : request.schedules()) {
            schedules.addObject().put("updates", schedule.updates())
                    .put("rate_from", schedule.from()).put("rate_to", schedule.to());
        }
        settings.put("batch", request.batch());
        settings.put("lambda", request.lambda());
        settings.put("regulariser", Manifest.keyword(request.regulariser()));
        if (Double.isFinite(request.clipNorm())) {
            settings.put("clip_norm", request.clipNorm());
        }
        settings.put("check_texts", request.check().texts());
        settings.put("check_steps", request.check().steps());
        settings.put("seed", request.seed());
        settings.put("limit", request.limit());
        settings.put("quick", request.quick());
        return input;
    }

    static Manifest of(Run run, GatesRequest request, List<GateTexts> texts, GatesSummary found) {
        ObjectNode manifest = run.manifest(GatesResult.ANALYSIS);
        manifest.put("sketch", request.quick());
        manifest.put(GatesResult.SCORE, Manifest.keyword(request.score()));
        ObjectNode conventions = manifest.putObject("conventions");
        conventions.put("gate", "1 / (1 + exp(-theta)), on a head's output at every token before the output projection");
        conventions.put("loss", "negative log-likelihood, mean over an answer's tokens, then over the batch;"
                + " minus lambda times the regulariser");
        conventions.put("regulariser", "%s over heads of clamp(theta, -4, 4)"
                .formatted(Manifest.keyword(request.regulariser())));
        conventions.put("rate", "Adam's, decreases linearly: from + (to - from) update / updates");
        conventions.put("batches", "without repetition, shuffled again when fewer texts than a batch remain; each seed its own");
        conventions.put("always", "minimum over seeds");
        conventions.put("any", "maximum over seeds");
        conventions.put("share", "of heads with a score of at least 0.5");
        conventions.put("check", "from G+, heads shut from the lowest gate of G- up, or opened from the lowest of G+ up,"
                + " or in random order; the first texts of a task");
        ArrayNode results = manifest.putArray("results");
        for (int i = 0; i < found.tasks().size(); i++) {
            GatesSummary.Task task = found.tasks().get(i);
            ObjectNode result = results.addObject();
            result.put("task", task.name());
            result.put("texts", texts.get(i).size());
            task.always().forEach((score, share) -> result.withObject("/share_always").put(score.adjective, share));
            task.any().forEach((score, share) -> result.withObject("/share_any").put(score.adjective, share));
            result.put("share_any_role", task.either());
            task.answer().ifPresent(answer -> result.putObject("log_probability")
                    .put("ungated", answer.ungated()).put("under_g_plus", answer.underGates()));
        }
        String fitted = fitted(run, request);
        manifest.put("caption", shown(request) + " " + fitted);
        manifest.put(GatesResult.CHECK_CAPTION, "From G+, heads are shut one after the other, from the lowest gate of G- up, or"
                + " opened from the lowest of G+ up. " + fitted);
        return new Manifest(manifest);
    }

    private static String shown(GatesRequest request) {
        return switch (request.score()) {
            case FACILITATION -> "Facilitation: how far a head's gate stays open when it is pushed shut.";
            case INTERFERENCE -> "Interference: how far a head's gate stays shut when it is pushed open.";
            case IRRELEVANCE -> "Irrelevance: how far a head's gate goes where it is pushed.";
            case CONTRAST -> "Contrast: how far a head's gate is shut to forget one answer and keep the other.";
        };
    }

    private static String fitted(Run run, GatesRequest request) {
        List<GatesRequest.Schedule> shown = request.score() == GateScore.CONTRAST
                ? List.of(request.schedule(GateFit.CONTRAST))
                : request.schedules();
        return "%s; %d seed%s, %s updates, batches of %d, lambda %s.%s".formatted(
                run.modelCaption(), request.seeds(), request.seeds() == 1 ? "" : "s",
                shown.stream().map(schedule -> Integer.toString(schedule.updates())).collect(Collectors.joining(" + ")),
                request.batch(), request.lambda(),
                request.quick() ? " A sketch: the published schedule has 10 seeds, %s updates, batches of 64."
                        .formatted(String.join(" + ", Collections.nCopies(shown.size(), "500"))) : "");
    }
}
