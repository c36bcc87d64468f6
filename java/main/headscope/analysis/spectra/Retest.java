package headscope.analysis.spectra;

import static headscope.analysis.InputException.require;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.Digest;
import headscope.analysis.Progress;
import headscope.analysis.Provenance;
import headscope.result.Manifest;
import headscope.result.RunFolder;
import headscope.result.SampleTable;
import headscope.result.SampleTable.Sample;
import headscope.result.SpectraResult;
import headscope.result.SpectraValues;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Tests the stored values of a finished spectra run again, without its model. In order: {@link #open} (which checks
 * all input), {@link #write}, {@link #commit}.
 */
public final class Retest implements AutoCloseable {
    private static final String VALUES = "values.safetensors";

    private final RetestRequest request;
    private final SpectraResult source;
    private final SpectraValues values;
    private final TestSettings settings;
    private final Optional<LabelFile> labels;
    private final List<Sample> samples;
    private final FreshRun run;
    private final Instant started = Instant.now();

    private Retest(
            RetestRequest request, SpectraResult source, SpectraValues values, TestSettings settings,
            Optional<LabelFile> labels, List<Sample> samples) {
        this.request = request;
        this.source = source;
        this.values = values;
        this.settings = settings;
        this.labels = labels;
        this.samples = samples;
        this.run = new FreshRun(request.out(), request.overwrite());
    }

    /** @throws headscope.analysis.InputException and the exceptions of the packages below if the input cannot be used */
    public static Retest open(RetestRequest request) {
        Path from = request.from();
        String analysis = Manifest.read(from).analysis();
        require(analysis.equals(SpectraResult.ANALYSIS),
                "%s: is a run of \"%s\"; --from takes a run of spectra".formatted(from, analysis));
        require(!from.toAbsolutePath().normalize().equals(request.out().toAbsolutePath().normalize()),
                from + ": is both --from and --out; choose another --out");
        SpectraResult source = SpectraResult.read(from);
        SpectraValues values = source.values(from);
        TestSettings settings = settings(request, source.manifest(), values);
        List<Sample> samples = source.samples().samples();
        Optional<LabelFile> labels = request.labels().map(file -> LabelFile.read(file, request.labelNames()));
        List<Sample> relabelled = labels.map(file -> relabelled(file, samples, from + ", whose samples.csv lists them")).orElse(samples);
        List<String> found = relabelled.stream().map(Sample::label).distinct().toList();
        require(found.size() == 2, "%s: all %d texts have label %s; a test needs both classes%s".formatted(
                labels.map(LabelFile::name).orElse(from.toString()), relabelled.size(), String.join("", found),
                labels.isPresent() ? "" : ": give other labels with --labels FILE"));
        return new Retest(request, source, select(values, samples, relabelled), settings, labels, relabelled);
    }

    /**
     * The texts that have a label, with it.
     *
     * @param where the texts are, and how their indices and ids can be seen
     */
    static List<Sample> relabelled(LabelFile file, List<Sample> samples, String where) {
        List<OptionalInt> labels = file.of(samples, where);
        return IntStream.range(0, samples.size())
                .filter(i -> labels.get(i).isPresent())
                .mapToObj(i -> samples.get(i).withLabel(Integer.toString(labels.get(i).getAsInt())))
                .toList();
    }

    private static SpectraValues select(SpectraValues values, List<Sample> all, List<Sample> chosen) {
        Set<Integer> indices = chosen.stream().map(Sample::index).collect(Collectors.toSet());
        int[] texts = IntStream.range(0, all.size()).filter(i -> indices.contains(all.get(i).index())).toArray();
        return values.select(texts, chosen.stream().mapToLong(sample -> Long.parseLong(sample.label())).toArray());
    }

    private static TestSettings settings(RetestRequest request, Manifest run, SpectraValues values) {
        for (String needed : List.of("attention_score", "attention_eigenvalues", "laplacian")) {
            require(values.find(needed).isPresent(),
                    "%s: values.safetensors has no %s".formatted(request.from(), needed));
        }
        int stored = values.find("laplacian").orElseThrow().perHead().orElse(1);
        int k = request.k().orElse(stored);
        require(k <= stored, "--k %d: %s holds the %d largest eigenvalues; choose at most %d, or run the model again"
                .formatted(k, request.from(), stored, stored));
        for (String metric : request.tested()) {
            require(values.find(metric).isPresent(), "--test %s: %s holds only %s".formatted(metric, request.from(),
                    String.join(", ", values.measured().stream().map(SpectraValues.Measured::metric).toList())));
        }
        return new TestSettings(k,
                request.perSample().orElseGet(() -> run.constant("/per_sample", SpectraRequest.PerSample.class)),
                request.tested(), request.view(), request.probes(),
                request.seed().orElse(run.json().at("/settings/seed").asLong()));
    }

    /** Number of stored texts for which the file of labels has none; they are not tested. */
    public int unlabelled() {
        return source.samples().samples().size() - samples.size();
    }

    /** Where the files of the run are between {@link #write} and {@link #commit}. */
    public Path folder() {
        return run.folder();
    }

    /**
     * Tests every head and writes all files but the figure into {@link #folder}; the values stay in the run that they
     * are read from.
     *
     * @param progress of the probes, in folds
     * @throws headscope.result.RunFolderException before the tests if the run folder may not be written
     */
    public SpectraSummary write(Progress progress) {
        RunFolder begun = run.begin();
        boolean answered = labels.isEmpty() && samples.stream().noneMatch(sample -> sample.expected().isEmpty());
        SpectraTests tests = SpectraTests.of(values, settings, answered, 0, false, progress);
        return onDisk(() -> {
            new SpectraResult(manifest(tests.summary()), values.layers(), values.heads(), tests.tested(),
                    new SampleTable(samples), tests.summary().layers()).write(begun);
            return tests.summary();
        });
    }

    /** Runs work that writes into {@link #folder}. It does not return once the run is abandoned. */
    public <T> T onDisk(Supplier<T> work) {
        return run.onDisk(work);
    }

    /**
     * Deletes what was written, unless it is published, and stops every other thread before it writes more: for a
     * program that is being terminated.
     */
    public void abandon() {
        run.abandon();
    }

    /** Model, texts and settings of the run that the values are from, then those of this test. */
    private Manifest manifest(SpectraSummary found) {
        ObjectNode old = source.manifest().json();
        ObjectNode manifest = old.objectNode();
        manifest.put("analysis", SpectraResult.ANALYSIS);
        manifest.put("program", Provenance.program());
        manifest.put("command", request.command());
        ObjectNode from = manifest.putObject("from");
        from.put("path", request.from().toString());
        from.put("run", source.manifest().text("/run"));
        from.put("values_sha256", Digest.of(List.of(request.from().resolve(VALUES))));
        from.put("samples_sha256", Digest.of(List.of(request.from().resolve("samples.csv"))));
        labels.ifPresent(file -> manifest.set("labels", file.describe(unlabelled())));
        for (String key : List.of("device", "model", "texts", "settings")) {
            JsonNode value = old.path(key);
            if (!value.isMissingNode()) {
                manifest.set(key, value.deepCopy());
            }
        }
        ObjectNode changed = manifest.withObject("/settings");
        changed.put("k", settings.k());
        changed.put("seed", settings.seed());
        manifest.put("run", Digest.id(
                from.deepCopy().without("path").toString() + LabelFile.identity(manifest.path("labels")) + settings));
        ObjectNode times = manifest.putObject("times");
        times.put("started", started.toString());
        times.put("seconds", Duration.between(started, Instant.now()).toMillis() / 1000.0);
        manifest.put("per_sample", Manifest.keyword(settings.perSample()));
        settings.view().write(manifest);
        manifest.set("conventions", old.path("conventions").deepCopy());
        labels.ifPresent(file -> manifest.withObject("/conventions").put("label", "as given by " + file.name()));
        SpectraManifest.putResults(manifest, settings, found);
        SpectraManifest.putCaptions(manifest, model(), settings, found);
        return new Manifest(manifest);
    }

    private String model() {
        Manifest manifest = source.manifest();
        return "%s (%s, layers x heads: %d x %d)".formatted(
                Path.of(manifest.text("/model/path")).toAbsolutePath().normalize().getFileName(), manifest.text("/model/type"),
                values.layers(), values.heads());
    }

    /** Publishes the run folder. */
    public void commit() {
        run.commit();
    }

    /** Without {@link #commit}, deletes what was written: it is computed again in seconds. */
    @Override
    public void close() {
        run.close();
    }
}
