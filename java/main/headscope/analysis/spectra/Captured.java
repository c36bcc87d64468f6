package headscope.analysis.spectra;

import static headscope.analysis.InputException.require;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.Digest;
import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.Provenance;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.backend.Precision;
import headscope.backend.TensorScope;
import headscope.metric.Metric;
import headscope.result.Manifest;
import headscope.result.RunFolder;
import headscope.result.SampleTable;
import headscope.result.SampleTable.Sample;
import headscope.result.SpectraResult;
import headscope.result.SpectraValues;
import headscope.result.tapped.CapturedText;
import headscope.result.tapped.TappedAttention;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The spectra analysis of queries and keys that a tap has captured from a model in another process. In order: {@link #open}
 * (which checks all input), {@link #observe}, {@link #write}, {@link #commit}.
 */
public final class Captured implements AutoCloseable {
    private final CapturedRequest request;
    private final Backend backend;
    private final FreshRun run;
    private final Optional<LabelFile> labels;
    private final List<Sample> samples; // that have a label; index and id of the file
    private final int layers;
    private final int heads;
    private final int skipped;
    private final List<HeadValues> values = new ArrayList<>();
    private final Instant started = Instant.now();

    private Captured(
            CapturedRequest request, Optional<LabelFile> labels, List<Sample> samples, int layers, int heads, int skipped,
            Consumer<String> notice) {
        this.request = request;
        this.labels = labels;
        this.samples = samples;
        this.layers = layers;
        this.heads = heads;
        this.skipped = skipped;
        this.run = new FreshRun(request.out(), request.overwrite());
        this.backend = InputException.rejecting(
                () -> Backend.open(request.device().withoutWeights(), () -> Precision.F32, notice));
    }

    /**
     * @param notice receives one-line notices of the backend
     * @throws InputException and the exceptions of the packages below if the input cannot be used
     */
    public static Captured open(CapturedRequest request, Consumer<String> notice) {
        requireDistinct(request.files());
        Optional<LabelFile> labels = request.labels().map(file -> LabelFile.read(file, request.labelNames()));
        List<Sample> all = new ArrayList<>();
        int layers = 0;
        int heads = 0;
        for (Path file : request.files()) {
            CapturedText text = CapturedText.read(file);
            if (all.isEmpty()) {
                layers = text.layers().size();
                heads = text.layers().getFirst().heads();
            }
            require(layers == text.layers().size() && heads == text.layers().getFirst().heads(),
                    "%s: %d layers x %d heads; %s has %d x %d: captured texts must be of one model".formatted(
                            file, text.layers().size(), text.layers().getFirst().heads(), request.files().getFirst(), layers, heads));
            require(text.layers().stream().allMatch(TappedAttention::causal),
                    file + ": is of a bidirectional model; the Laplacian eigenvalues need a causal one");
            requireLength(request, file, text.tokens());
            all.add(new Sample(all.size(), text.tokens(), labels.isPresent() ? "" : label(file, text), "", "", file.getFileName().toString(), ""));
        }
        List<Sample> labelled = labels.map(file -> Retest.relabelled(
                file, all, "the captured files, which are counted from 0 and whose ids are their names")).orElse(all);
        List<Sample> measurable = labelled.stream().filter(sample -> sample.tokens() >= request.k()).toList();
        require(!measurable.isEmpty(), "all %d captured texts have fewer than %d tokens or no label; lower --k, or capture longer texts"
                .formatted(all.size(), request.k()));
        return new Captured(request, labels, measurable, layers, heads, labelled.size() - measurable.size(), notice);
    }

    /** A text that is counted twice makes p too small. */
    private static void requireDistinct(List<Path> files) {
        Map<Path, Path> names = new HashMap<>();
        for (Path file : files) {
            Path earlier = names.putIfAbsent(realPath(file), file);
            require(earlier == null, "--captured: %s is given twice%s; name every file once, because each counts as a text of its own"
                    .formatted(file, file.equals(earlier) ? "" : ", also as " + earlier));
        }
    }

    private static Path realPath(Path file) {
        try {
            return file.toRealPath();
        } catch (IOException unreadable) {
            return file; // is reported when it is read
        }
    }

    private static void requireLength(CapturedRequest request, Path file, int tokens) {
        require(request.skipShort() || tokens >= request.k(),
                "%s: %d tokens give %d eigenvalues, but --k is %d: lower --k, or skip such texts with --short skip"
                        .formatted(file, tokens, tokens, request.k()));
        require(!HeadValues.needSymmetric(request.metrics()) || tokens <= Metric.Symmetric.MAX_TOKENS,
                "%s: the symmetrised spectrum is computed for texts of at most %d tokens, not %d"
                        .formatted(file, Metric.Symmetric.MAX_TOKENS, tokens));
    }

    private static String label(Path file, CapturedText text) {
        String label = text.label().orElse("");
        require(label.equals("0") || label.equals("1"),
                "%s: %s; give headscope_tap.save label 0 or 1, or give --labels FILE".formatted(
                        file, label.isEmpty() ? "has no label" : "has the label \"" + label + "\""));
        return label;
    }

    /** Number of texts for which the file of labels has none. */
    public int unlabelled() {
        return request.files().size() - samples.size() - skipped;
    }

    /** Measures every text. */
    public void observe(Progress progress) {
        progress.reached(0, samples.size());
        for (Sample sample : samples) {
            Path file = request.files().get(sample.index());
            HeadValues measured = measure(CapturedText.read(file));
            measured.overflow().ifPresent(head -> {
                throw new InputException(file + ": " + head + ": the captured model overflows here");
            });
            values.add(measured);
            progress.reached(values.size(), samples.size());
        }
    }

    private HeadValues measure(CapturedText text) {
        HeadValues measured = new HeadValues(request.metrics(), request.k(), layers, heads);
        for (TappedAttention layer : text.layers()) {
            try (TensorScope scope = new TensorScope(backend)) {
                AttentionStatistics statistics = scope.statistics(heads, text.tokens());
                Tensor q = uploaded(scope, layer.query(), layer.count(), (long) layer.heads() * layer.headDim());
                Tensor k = scope.operand(uploaded(scope, layer.key(), layer.count(), (long) layer.kvHeads() * layer.headDim()));
                Optional<Tensor> sinks = layer.sinks().length == 0
                        ? Optional.empty() : Optional.of(scope.tensor(layer.sinks(), heads));
                AttentionSpec spec = new AttentionSpec(
                        heads, layer.kvHeads(), layer.headDim(), layer.scale(), true, layer.window(), layer.softCap(), sinks);
                backend.attentionStatistics(q, k, Packing.of(q.intSize(0), k.intSize(0)), spec, statistics);
                measured.add(layer.layer(), backend.measure(
                        HeadValues.fromStatistics(request.metrics()), statistics, spec).getFirst());
                if (HeadValues.needSymmetric(request.metrics())) {
                    measured.addSymmetric(layer.layer(), backend.symmetricSpectrum(q, k,
                            Packing.of(q.intSize(0), k.intSize(0)), spec).getFirst());
                }
            }
        }
        return measured;
    }

    private Tensor uploaded(TensorScope scope, MemorySegment floats, long... shape) {
        Tensor tensor = scope.allocate(DType.F32, shape);
        backend.upload(tensor, floats);
        return tensor;
    }

    /**
     * Tests every head, unless all texts have one label, and writes all files but the figure into {@link #folder}.
     *
     * @param progress of the probes, in folds
     */
    public SpectraSummary write(Progress progress) {
        RunFolder folder = run.begin();
        SpectraValues all = new SpectraValues(layers, heads, IntStream.range(0, request.metrics().size())
                .mapToObj(m -> new SpectraValues.Measured(
                        request.metrics().get(m).key(),
                        request.metrics().get(m) instanceof Metric.Spectrum ? OptionalInt.of(request.k()) : OptionalInt.empty(),
                        values.stream().map(text -> text.values().get(m)).toList()))
                .toList(), samples.stream().mapToLong(sample -> Long.parseLong(sample.label())).toArray());
        SpectraTests tests = SpectraTests.of(all, request.tests(), false, skipped, true, progress);
        return run.onDisk(() -> {
            new SpectraResult(manifest(tests.summary()), layers, heads, tests.tested(), new SampleTable(samples),
                    tests.summary().layers()).write(folder);
            all.write(folder);
            return tests.summary();
        });
    }

    private Manifest manifest(SpectraSummary found) {
        ObjectNode manifest = new ObjectMapper().createObjectNode();
        manifest.put("analysis", SpectraResult.ANALYSIS);
        manifest.put("program", Provenance.program());
        manifest.put("command", request.command());
        manifest.put("device", backend.describe());
        manifest.putObject("model").put("path", "captured").put("type", "captured").put("layers", layers).put("heads", heads)
                .put("dtype", backend.precision().name());
        ObjectNode texts = manifest.putObject("texts");
        texts.put("captured_files", request.files().size()).put("sha256", Digest.of(request.files()));
        labels.ifPresent(file -> manifest.set("labels", file.describe(unlabelled())));
        ObjectNode settings = manifest.putObject("settings");
        settings.put("k", request.k()).put("seed", request.seed()).put("short", request.skipShort() ? "skip" : "fail");
        request.metrics().stream().map(Metric::key).forEach(settings.putArray("metrics")::add);
        manifest.put("run", request.tests().id(
                Digest.id(texts.toString() + settings + LabelFile.identity(manifest.path("labels")))));
        manifest.putObject("times").put("started", started.toString())
                .put("seconds", Duration.between(started, Instant.now()).toMillis() / 1000.0);
        manifest.put("per_sample", Manifest.keyword(request.perSample()));
        request.view().write(manifest);
        ObjectNode conventions = manifest.putObject("conventions");
        conventions.put("tokens", "T = the tokens that the model has read");
        conventions.put("laplacian", "column sum / (T - i) - a_ii; in windowed layers T - i as well");
        conventions.put("label", labels.map(file -> "as given by " + file.name()).orElse("as given to headscope_tap.save"));
        conventions.put("test", "two-sided Mann-Whitney U; effect positive where label 1 has the larger values");
        SpectraManifest.putResults(manifest, request.tests(), found);
        SpectraManifest.putCaptions(
                manifest, "captured (layers x heads: %d x %d)".formatted(layers, heads), request.tests(), found);
        return new Manifest(manifest);
    }

    /** Where the files of the run are between {@link #write} and {@link #commit}. */
    public Path folder() {
        return run.folder();
    }

    /** Runs work that writes into {@link #folder}. It does not return once the run is abandoned. */
    public <T> T onDisk(Supplier<T> work) {
        return run.onDisk(work);
    }

    /** Deletes what was written, unless it is published: for a program that is being terminated. */
    public void abandon() {
        run.abandon();
    }

    /** Publishes the run folder. */
    public void commit() {
        run.commit();
    }

    /** Without {@link #commit}, deletes what was written. */
    @Override
    public void close() {
        run.close();
        backend.close();
    }
}
