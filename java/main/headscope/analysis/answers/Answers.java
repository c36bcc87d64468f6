package headscope.analysis.answers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.InputException;
import headscope.analysis.Notices;
import headscope.analysis.Progress;
import headscope.analysis.ProgressFile;
import headscope.analysis.Run;
import headscope.analysis.RunRequest;
import headscope.analysis.Text;
import headscope.analysis.TextFile;
import headscope.analysis.statistics.RandomStreams;
import headscope.model.GenerationKeys;
import headscope.model.LayerHook;
import headscope.result.RunFolderException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ObjIntConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A model's answers to prompts, graded, as a file of texts for other analyses. In order: {@link #open} (which checks
 * everything before anything is written), {@link #answer}, {@link #publish}. Answers that an interrupted
 * run has finished are kept for --resume.
 */
public final class Answers implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int EXAMPLES = 5;

    private static final ProgressFile<Line> LINE = new ProgressFile<>(
            line -> new ProgressFile.Contents(Map.of(
                    "answer", line.answer, "label", Integer.toString(line.label), "json", line.json), Map.of(), Map.of()),
            stored -> new Line(stored.metadata().get("answer"), Integer.parseInt(stored.metadata().get("label")),
                    stored.metadata().get("json")));

    private final AnswersRequest request;
    private final TextFile file;
    private final List<String> ids;
    private final List<TextTokens> tokens = new ArrayList<>();
    private final Run run;
    private final Answerer answerer;

    /** The finished lines of each text. */
    private final List<List<Line>> lines = new ArrayList<>();

    /** @param json what is written */
    private record Line(String answer, int label, String json) {}

    private Answers(AnswersRequest request, TextFile file) {
        this.request = request;
        this.file = file;
        this.ids = file.file().ids();
        RunRequest unfinished = request.unfinished();
        this.run = new Run(unfinished, input(request, file), (config, tokenizer) -> {
            request.run().requireCausal(config);
            TextEncoder encoder = new TextEncoder(request.answering(), config, tokenizer);
            file.texts().forEach(text -> tokens.add(encoder.encode(text)));
        });
        if (tokens.stream().anyMatch(text -> text instanceof TextTokens.Prompt)) {
            GenerationKeys.ignored(request.run().model()).ifPresent(run.notices);
        }
        this.answerer = new Answerer(request.answering(), run.model, run.tokenizer);
    }

    private static ObjectNode input(AnswersRequest request, TextFile file) {
        ObjectNode input = JSON.createObjectNode();
        input.set("texts", file.file().provenance());
        ObjectNode settings = input.putObject("settings");
        request.answering().describe(settings, file.texts());
        settings.put("samples", request.samples());
        return input;
    }

    /**
     * @param standardInput read if the request's texts are "-"
     * @throws InputException and the exceptions of the packages below if the input cannot be used
     */
    public static Answers open(AnswersRequest request, InputStream standardInput) {
        TextFile texts = TextFile.of(
                        request.run().read(request.texts(), standardInput, TextFile.FORMS), request.answering().labelNames())
                .first(request.limit());
        texts.texts().forEach(Answers::requireUnanswered);
        request.answering().requireUsable(texts.texts());
        return new Answers(request, texts);
    }

    private static void requireUnanswered(Text text) {
        boolean answered = switch (text) {
            case Text.Question question -> question.generated().isPresent();
            case Text.Choice choice -> choice.generated().isPresent();
            case Text.Labelled labelled -> throw text.entry().wrong("is a text without a prompt: there is nothing to answer");
        };
        if (answered) {
            throw text.entry().wrong("has an answer already; to generate another, ignore it and its label by --fields"
                    + " generated=-,generated_tokens=-,label=-");
        }
    }

    /** Notices for the user, one line each. */
    public Notices notices() {
        return run.notices;
    }

    /** Answers every prompt, except those that an interrupted run has finished. */
    public void answer(Progress progress) {
        run.requireSameInput();
        progress.reached(0, tokens.size());
        List<Item> items = items();
        int[] open = new int[tokens.size()];
        items.forEach(item -> open[item.text]++);
        AtomicInteger done = new AtomicInteger();
        List<Line> all = run.inAnyOrder(IntStream.range(0, items.size()).toArray(), item -> items.get(item).name(), LINE,
                (missing, answered) -> answer(items, missing, progress, answered), UnaryOperator.identity(), item -> {
                    if (--open[items.get(item).text] == 0) {
                        progress.reached(done.incrementAndGet(), tokens.size());
                    }
                });
        tokens.forEach(text -> lines.add(new ArrayList<>()));
        for (int i = 0; i < items.size(); i++) {
            lines.get(items.get(i).text).add(all.get(i));
        }
    }

    /** One of the answers to a prompt. */
    private record Item(int text, int sample) {
        String name() {
            return "%06d-%04d".formatted(text, sample);
        }
    }

    private List<Item> items() {
        List<Item> items = new ArrayList<>();
        for (int text = 0; text < tokens.size(); text++) {
            int samples = tokens.get(text) instanceof TextTokens.Prompt ? request.samples() : 1;
            for (int sample = 0; sample < samples; sample++) {
                items.add(new Item(text, sample));
            }
        }
        return items;
    }

    private void answer(List<Item> items, int[] missing, Progress progress, ObjIntConsumer<Line> answered) {
        progress.within(0);
        choose(items, Arrays.stream(missing).boxed().collect(Collectors.toSet()), answered);
        List<Integer> prompts = Arrays.stream(missing)
                .filter(item -> !(tokens.get(items.get(item).text) instanceof TextTokens.Choices)).boxed().toList();
        double rows = request.samples() * prompts.stream()
                .mapToInt(item -> tokens.get(items.get(item).text).work()).average().orElse(1);
        RowsInWork inWork = new RowsInWork(rows, run.model.config().layers(), progress);
        answerer.answer(prompts.stream().map(item -> continued(items.get(item))).toList(), run.batches, false, inWork,
                (i, answer, none) -> {
                    inWork.end(answer.read().length);
                    answered.accept(line(items.get(prompts.get(i)), answer), prompts.get(i));
                });
    }

    /** Chooses in the batches of an uninterrupted run: on a GPU, last digits depend on them. */
    private void choose(List<Item> items, Set<Integer> missing, ObjIntConsumer<Line> answered) {
        int[] choices = IntStream.range(0, items.size())
                .filter(item -> tokens.get(items.get(item).text) instanceof TextTokens.Choices).toArray();
        for (int[] batch : run.batches.of(choices, item -> tokens.get(items.get(item).text).work())) {
            if (Arrays.stream(batch).noneMatch(missing::contains)) {
                continue;
            }
            run.model.splitOnOutOfMemory(batch.length, (first, count) -> {
                List<Item> some = IntStream.range(first, first + count).mapToObj(i -> items.get(batch[i])).toList();
                List<Answerer.Answer> answers = answerer.choose(
                        some.stream().map(item -> (Text.Choice) file.texts().get(item.text)).toList(),
                        some.stream().map(item -> (TextTokens.Choices) tokens.get(item.text)).toList(), LayerHook.NONE);
                for (int i = 0; i < count; i++) {
                    if (missing.contains(batch[first + i])) {
                        answered.accept(line(some.get(i), answers.get(i)), batch[first + i]);
                    }
                }
            });
        }
    }

    private Answerer.Continued continued(Item item) {
        return new Answerer.Continued(
                file.texts().get(item.text), tokens.get(item.text), RandomStreams.of(seed(item), item.text));
    }

    /** Sample s has the seed of the run plus s, so that any sample can be generated again as the only one. */
    private long seed(Item item) {
        return request.answering().seed() + item.sample;
    }

    private Line line(Item item, Answerer.Answer answer) {
        int label = answerer.label(file.texts().get(item.text), answer);
        try {
            return new Line(answer.text(), label, JSON.writeValueAsString(
                    json(item.text, item.sample, seed(item), answer, label)));
        } catch (JsonProcessingException impossible) {
            throw new AssertionError("a tree is always written", impossible);
        }
    }

    /** All fields of the text, then the answer as {@link TextFile} reads it, the label, and how it was generated. */
    private ObjectNode json(int index, int sample, long seed, Answerer.Answer answer, int label) {
        Text text = file.texts().get(index);
        ObjectNode json = text.entry().json().deepCopy();
        json.remove(List.of("label", "generation"));
        if (request.samples() > 1 && !ids.get(index).isEmpty()) {
            json.put("id", "%s-%d".formatted(ids.get(index), sample));
        }
        json.put("generated", answer.text());
        if (follows(text, answer)) {
            for (int token : answer.generated()) {
                json.withArray("generated_tokens").add(token);
            }
        }
        List<String> names = request.answering().labelNames().names();
        if (names.isEmpty()) {
            json.put("label", label);
        } else {
            json.put("label", names.get(label));
        }
        ObjectNode generation = json.putObject("generation");
        generation.put("model", request.run().model().toString());
        if (tokens.get(index) instanceof TextTokens.Prompt && request.answering().sampler().temperature() > 0) {
            generation.put("sample", sample).put("seed", seed);
        }
        if (!answer.scores().isEmpty()) {
            answer.scores().forEach(generation.putArray("scores")::add);
        }
        return json;
    }

    /** Whether the model has read the prompt's own tokens; a tokenizer may merge the prompt's end with a choice. */
    private boolean follows(Text text, Answerer.Answer answer) {
        int prompt = answer.read().length + 1 - answer.generated().length;
        return Arrays.equals(run.tokenizer.encodePrompt(text.prompt()), Arrays.copyOf(answer.read(), prompt));
    }

    /** Publishes the file, complete or not at all. */
    public AnswersSummary publish() {
        return run.onDisk(() -> {
            Path written = run.folder.progress("answers.jsonl");
            Path out = request.place();
            try {
                Files.write(written, lines.stream().flatMap(List::stream).map(Line::json).toList());
                try (FileChannel channel = FileChannel.open(written, StandardOpenOption.WRITE)) {
                    channel.force(true);
                }
                if (!request.run().overwrite() && Files.exists(out)) {
                    throw new RunFolderException(out, "was created by another program meanwhile; choose another --out, or use --overwrite");
                }
                Files.move(written, out, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException failure) {
                throw new RunFolderException(out, failure);
            }
            run.folder.discard();
            return summary();
        });
    }

    private AnswersSummary summary() {
        List<Line> all = lines.stream().flatMap(List::stream).toList();
        List<AnswersSummary.Example> first = new ArrayList<>();
        int given = 0;
        for (int i = 0; i < lines.size(); i++) {
            Text text = file.texts().get(i);
            given += text.label().isPresent() ? lines.get(i).size() : 0;
            for (Line line : lines.get(i)) {
                if (first.size() < EXAMPLES) {
                    first.add(new AnswersSummary.Example(
                            text.prompt(), line.answer, Answerer.expected(text), line.label));
                }
            }
        }
        int wrong = all.stream().mapToInt(Line::label).sum();
        return new AnswersSummary(lines.size(), all.size() - wrong, wrong, given,
                (int) lines.stream().filter(ofText -> ofText.stream().anyMatch(line -> line.label == 0)).count(), first);
    }

    /** Without {@link #publish}, keeps the finished answers for --resume. */
    @Override
    public void close() {
        run.close();
    }
}
