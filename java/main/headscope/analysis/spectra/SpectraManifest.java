package headscope.analysis.spectra;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.Run;
import headscope.analysis.TextFile;
import headscope.analysis.answers.Answering;
import headscope.analysis.statistics.Probe;
import headscope.analysis.statistics.ProbeResult;
import headscope.metric.Metric;
import headscope.result.Manifest;
import headscope.result.SpectraResult;

/** The manifest of a spectra run. */
final class SpectraManifest {
    private SpectraManifest() {}

    /** Everything that determines the values of one text; the number of texts does not. */
    static ObjectNode input(SpectraRequest request, TextFile texts) {
        ObjectNode input = new ObjectMapper().createObjectNode();
        input.set("texts", texts.file().provenance());
        ObjectNode settings = input.putObject("settings");
        settings.put("k", request.k());
        request.answering().describe(settings, texts.texts());
        settings.put("short", request.skipShort() ? "skip" : "fail");
        request.metrics().stream().map(Metric::key).forEach(settings.putArray("metrics")::add);
        request.perToken().describe(settings);
        return input;
    }

    /** @param given number of texts whose label the file gives */
    static Manifest of(Run run, SpectraRequest request, SpectraSummary found, int given) {
        ObjectNode manifest = run.manifest(SpectraResult.ANALYSIS);
        manifest.put("run", request.tests().id(manifest.path("run").asText()));
        ((ObjectNode) manifest.get("settings")).put("limit", request.limit());
        manifest.put("per_sample", Manifest.keyword(request.perSample()));
        request.view().write(manifest);
        ObjectNode conventions = manifest.putObject("conventions");
        conventions.put("bos", request.run().prompting().specialTokens()
                ? "kept as the tokenizer puts it" : "as the text has it; the tokenizer adds none");
        conventions.put("eos", "special tokens that the tokenizer adds after a text follow labelled texts, not prompts");
        conventions.put("tokens", "T = prompt + generated - 1; the last generated token is not fed back");
        conventions.put("laplacian", "column sum / (T - i) - a_ii; in windowed layers T - i as well");
        conventions.put("label", label(request.answering(), found, given));
        conventions.put("test", "two-sided Mann-Whitney U; effect positive where label 1 has the larger values");
        putResults(manifest, request.tests(), found);
        manifest.withObject("/samples").put("labels_given", given).put("labels_graded", found.label0() + found.label1() - given);
        putCaptions(manifest, run.modelCaption(), request.tests(), found);
        return new Manifest(manifest);
    }

    private static String label(Answering answering, SpectraSummary found, int given) {
        String asGiven = answering.labelNames().names().isEmpty()
                ? "as the file of texts gives it"
                : "as the file of texts gives it, 0 = %s, 1 = %s".formatted(answering.labelNames().names().toArray());
        String graded = "1 = the answer is none of the expected ones: " + switch (answering.match()) {
            case EXACT -> "equal without the white space around them";
            case NORMALISED -> "equal after normalisation";
            case PREFIX -> "at the beginning of the answer as whole words after normalisation";
            case CONTAINS -> "contained as whole words after normalisation";
            case REGEX -> "regular expressions, contained in the answer";
        };
        return given == 0 ? graded
                : given == found.label0() + found.label1() ? asGiven
                : asGiven + "; otherwise " + graded;
    }

    /** What the tests and the probes found, and how the probes were fitted. */
    static void putResults(ObjectNode manifest, TestSettings settings, SpectraSummary found) {
        ObjectNode samples = manifest.putObject("samples");
        samples.put("label_0", found.label0());
        samples.put("label_1", found.label1());
        samples.put("skipped", found.skipped());
        if (found.untested().isPresent()) {
            manifest.put(SpectraResult.UNTESTED, found.untested().get());
            return;
        }
        settings.metrics().forEach(manifest.putArray("tested")::add);
        found.shareP().forEach(manifest.putObject("share_p_below_0.05")::put);
        found.shareP().keySet().forEach(name ->
                manifest.withObject("/share_q_below_0.05").put(name, found.shareQ().get(name)));
        ObjectNode auroc = manifest.putObject("auroc");
        auroc.put("AttentionScore", found.unsupervised());
        found.probes().forEach((name, probe) -> {
            ObjectNode entry = auroc.putObject(name);
            switch (probe) {
                case ProbeResult.Measured measured -> entry.put("mean", measured.auroc())
                        .put("deviation", measured.deviation()).put("folds", measured.folds().size())
                        .put("components", measured.components())
                        .put("principal_components", Manifest.keyword(measured.reduction()));
                case ProbeResult.Absent absent -> entry.put("absent", absent.reason());
            }
        });
        ObjectNode fit = manifest.putObject("probes");
        fit.put("fitted", settings.probes());
        if (settings.probes()) {
            fit.put("max_components", Probe.COMPONENTS);
            fit.put("max_folds", Probe.FOLDS);
            fit.put("seed", settings.seed());
            fit.put("regression", "logistic, L2 penalty with C = 1, balanced classes, Newton's method");
        }
    }

    /** The captions of the figures. */
    static void putCaptions(ObjectNode manifest, String model, TestSettings settings, SpectraSummary found) {
        manifest.put("caption", caption(model, settings, found));
        if (found.layers().isPresent()) {
            manifest.put(SpectraResult.LAYERS_CAPTION,
                    "%s; %s; k = %d. Each point: a probe of the heads of one layer, mean AUROC over the held-out folds."
                            .formatted(model, found.classes(), settings.k()));
        }
    }

    private static String caption(String model, TestSettings settings, SpectraSummary found) {
        String statistic = switch (settings.perSample()) {
            case MEAN -> settings.k() == 1
                    ? "the largest eigenvalue of each text"
                    : "mean of the %d largest eigenvalues per text".formatted(settings.k());
            case POOLED -> "the %d largest eigenvalues of every text, pooled".formatted(settings.k());
        };
        boolean spectra = settings.metrics().stream()
                .anyMatch(metric -> Metric.parse(metric, settings.k()) instanceof Metric.Spectrum);
        return "%s; %s; %stwo-sided Mann-Whitney U.".formatted(
                model, found.classes(), spectra ? "k = %d, %s; ".formatted(settings.k(), statistic) : "");
    }
}
