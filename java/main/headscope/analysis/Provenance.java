package headscope.analysis;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.ModelConfig;
import headscope.result.Manifest;
import headscope.result.RunFolder;
import headscope.result.RunFolderException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Where a run's numbers come from, as JSON that depends on nothing but the input: equal provenance, equal numbers.
 *
 * @param json what decides the values of a text; the number of texts does not
 */
record Provenance(ObjectNode json) {
    private static final String FILE = "request.json";

    /** Beside the caller's own work: the weights are read from end to end. The checkpoint may be closed meanwhile. */
    static CompletableFuture<Provenance> read(SpectraRequest request, Checkpoint checkpoint, TextFile texts) {
        ModelConfig config = checkpoint.config();
        List<Path> weights = checkpoint.tensors().files();
        return CompletableFuture.supplyAsync(() -> of(request, config, weights, texts));
    }

    private static Provenance of(SpectraRequest request, ModelConfig config, List<Path> weights, TextFile texts) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        ObjectNode model = json.putObject("model");
        model.put("path", request.model().toString());
        model.put("type", config.family().modelType());
        model.put("layers", config.layers());
        model.put("heads", config.heads());
        model.put("dtype", "F32");
        model.put("config_sha256", Digest.of(List.of(request.model().resolve("config.json"))));
        model.put("weights_sha256", Digest.of(weights));
        ObjectNode data = json.putObject("texts");
        data.put("path", texts.name());
        data.put("sha256", texts.digest());
        ObjectNode settings = json.putObject("settings");
        settings.put("k", request.k());
        settings.put("max_new_tokens", request.maxNewTokens());
        settings.put("stop", request.stop());
        settings.put("temperature", request.sampler().temperature());
        settings.put("top_p", request.sampler().topP());
        settings.put("seed", request.seed());
        settings.put("short", request.skipShort() ? "skip" : "fail");
        request.metrics().stream().map(Metric::key).forEach(settings.putArray("metrics")::add);
        return new Provenance(json);
    }

    /** Twelve hexadecimal digits that stand for all of it. */
    String run() {
        return Digest.of(json.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 12);
    }

    /** A run is continued only with what it was begun with. */
    void requireSame(RunFolder folder) {
        Path file = folder.progress(FILE);
        try {
            if (folder.resumed() && Files.exists(file) && !Files.readString(file).equals(json.toString())) {
                throw new InputException(("%s: was begun with another model, texts or settings; "
                        + "repeat the first command, or start anew with --overwrite").formatted(folder.out()));
            }
            Files.writeString(file, json.toString());
        } catch (IOException failure) {
            throw new RunFolderException(file, failure);
        }
    }

    Manifest manifest(
            SpectraRequest request, ModelConfig config, String device, SpectraSummary found, Instant started) {
        ObjectNode manifest = new ObjectMapper().createObjectNode();
        manifest.put("analysis", "spectra");
        manifest.put("program", "headscope " + version());
        manifest.put("command", request.command());
        manifest.put("run", run());
        manifest.put("device", device);
        manifest.setAll(json);
        ((ObjectNode) manifest.get("settings")).put("limit", request.limit());
        manifest.put("per_sample", request.perSample().name().toLowerCase(Locale.ROOT));
        manifest.put("mark_significant", request.markSignificant());
        ObjectNode conventions = manifest.putObject("conventions");
        conventions.put("bos", "kept as the tokenizer puts it");
        conventions.put("tokens", "T = prompt + generated - 1; the last generated token is not fed back");
        conventions.put("laplacian", "column sum / (T - i) - a_ii; in windowed layers T - i as well");
        conventions.put("label", "1 = the answer, trimmed, lower-cased and without punctuation, is not the expected one");
        conventions.put("test", "two-sided Mann-Whitney U; effect positive where label 1 has the larger values");
        ObjectNode samples = manifest.putObject("samples");
        samples.put("label_0", found.label0());
        samples.put("label_1", found.label1());
        samples.put("skipped", found.skipped());
        found.shareP().forEach(manifest.putObject("share_p_below_0.05")::put);
        found.shareP().keySet().forEach(name ->
                manifest.withObject("/share_q_below_0.05").put(name, found.shareQ().get(name)));
        ObjectNode auroc = manifest.putObject("auroc");
        auroc.put("AttentionScore", found.unsupervised());
        found.probes().forEach((name, probe) -> {
            ObjectNode entry = auroc.putObject(name);
            switch (probe) {
                case ProbeResult.Measured measured -> entry.put("mean", measured.auroc())
                        .put("deviation", measured.deviation()).put("folds", measured.folds().size());
                case ProbeResult.Absent absent -> entry.put("absent", absent.reason());
            }
        });
        manifest.put("caption", caption(request, config, found));
        ObjectNode times = manifest.putObject("times");
        times.put("started", started.toString());
        times.put("seconds", Duration.between(started, Instant.now()).toMillis() / 1000.0);
        return new Manifest(manifest);
    }

    private static String caption(SpectraRequest request, ModelConfig config, SpectraSummary found) {
        String statistic = switch (request.perSample()) {
            case MEAN -> request.k() == 1
                    ? "the largest eigenvalue of each text"
                    : "mean of the %d largest eigenvalues per text".formatted(request.k());
            case POOLED -> "the %d largest eigenvalues of every text, pooled".formatted(request.k());
        };
        return "%s (%s, layers x heads: %d x %d); %s; k = %d, %s; two-sided Mann-Whitney U."
                .formatted(request.model().toAbsolutePath().normalize().getFileName(), config.family().modelType(),
                        config.layers(), config.heads(), found.classes(), request.k(), statistic);
    }

    private static String version() {
        return Optional.ofNullable(Provenance.class.getPackage().getImplementationVersion()).orElse("from sources");
    }
}
