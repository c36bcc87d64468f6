package headscope.analysis.saliency;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.Tolerance;
import headscope.analysis.DemoRuns;
import headscope.analysis.HeadName;
import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.analysis.Progress;
import headscope.analysis.RunRequest;
import headscope.analysis.saliency.SaliencyRequest.Ablation;
import headscope.analysis.saliency.SaliencyRequest.Objective;
import headscope.analysis.saliency.SaliencyRequest.View;
import headscope.backend.DeviceChoice;
import headscope.model.Checkpoint;
import headscope.picture.RunFigures;
import headscope.result.HeadTable;
import headscope.result.SaliencyCell;
import headscope.result.SaliencyResult;
import headscope.result.TokenGroup;
import headscope.result.TokenTable;
import headscope.tensor.Safetensors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Complete runs on the demo checkpoint. */
class SaliencyTest {
    private static final String TEXT = "<CHI> painted a picture of a horse <CHI> my favorite animal is the";
    private static final String GROUPS = "0-6:<ENV>,7-12:<LAN>";
    /** Including the beginning of text. */
    private static final int TOKENS = 14;
    private static final int HORSE = 7;
    private static final int LAST = TOKENS - 1;
    private static final int HEADS = 12;
    private static final int ALL_HEADS = 12 * HEADS;
    private static final View MAXIMA = new View(Optional.empty(), SaliencyCell.MAX, false, false);
    private static final Ablation NONE = new Ablation(List.of(), 0, 0);

    @TempDir
    private Path folder;

    private SaliencyRequest of(String text, Optional<String> target, Optional<String> groups, Objective objective, View view) {
        return new SaliencyRequest(run(false), Optional.of(text), target, Join.AUTO, groups, Optional.empty(), false,
                objective, view, 0.3, NONE);
    }

    private SaliencyRequest horse(Objective objective, View view) {
        return of(TEXT, Optional.empty(), Optional.of(GROUPS), objective, view);
    }

    private SaliencyRequest average(Path texts, View view, Ablation ablation, boolean resume) {
        return new SaliencyRequest(run(resume), Optional.empty(), Optional.empty(), Join.AUTO, Optional.empty(),
                Optional.of(texts.toString()), true, new Objective.Logit(), view, 0.3, ablation);
    }

    private RunRequest run(boolean resume) {
        return new RunRequest(DemoRuns.MODEL, folder.resolve("run"), DeviceChoice.of("cpu"), resume, !resume, "test");
    }

    private SaliencySummary finish(SaliencyRequest request) {
        try (Saliency saliency = Saliency.open(request, InputStream.nullInputStream())) {
            saliency.observe(Progress.SILENT);
            saliency.enlarge(Progress.SILENT);
            SaliencySummary summary = saliency.write();
            saliency.commit();
            return summary;
        }
    }

    private Path texts(String... lines) throws IOException {
        return Files.write(folder.resolve("texts.jsonl"), List.of(lines));
    }

    private Path grounding(int count) throws IOException {
        return texts(Files.readAllLines(Path.of("data/grounding.jsonl")).subList(0, count).toArray(String[]::new));
    }

    private static String line(String prompt, String answer, int between) {
        int words = prompt.split(" ").length;
        return ("{\"prompt\": \"%s\", \"answer\": \"%s\", \"groups\": [{\"label\": \"<ENV>\", \"start\": 0, \"end\": %d},"
                + " {\"label\": \"<LAN>\", \"start\": %d, \"end\": %d}]}")
                .formatted(prompt, answer, between, between, words);
    }

    private float[] values(String name) {
        try (Safetensors stored = Safetensors.open(folder.resolve("run/values.safetensors"))) {
            return stored.get(name).floats();
        }
    }

    private double[] column(String name) {
        return HeadTable.read(folder.resolve("run/heads.csv")).column(name);
    }

    @Test
    void findsTheRepeatedWord() throws IOException {
        View view = new View(Optional.empty(), SaliencyCell.MAX, true, false);
        SaliencySummary found = finish(horse(new Objective.LogitDifference("cow"), view));
        assertEquals("logit of \"horse\" less that of \"cow\"", found.objective());
        assertEquals(found.ranked().getFirst().head(), found.enlarged());
        assertEquals("horse", found.links().getFirst().source());
        assertEquals("the", found.links().getFirst().receiving());
        assertTrue(found.nearlyFlat().isEmpty());
        assertEquals(List.of("heads.csv", "manifest.json", "tokens.csv", "values.safetensors"),
                DemoRuns.files(folder.resolve("run")));
        TokenTable tokens = TokenTable.read(folder.resolve("run/tokens.csv"));
        assertEquals(TOKENS, tokens.tokens().size());
        assertEquals("horse", tokens.tokens().get(HORSE));
        assertEquals(List.of(new TokenGroup("<ENV>", 1, 8), new TokenGroup("<LAN>", 8, 14)), tokens.groups());
        ObjectNode manifest = (ObjectNode) new ObjectMapper().readTree(
                Files.readString(folder.resolve("run/manifest.json")));
        assertEquals("horse", manifest.get("target").textValue());
        assertTrue(manifest.get("probability").doubleValue() > 0.99, "the probability of the target");
    }

    /** Recomputes every number of the enlarged head from its map. */
    @Test
    void valuesAgreeWithTheMap() {
        for (boolean skipFirst : new boolean[] {false, true}) {
            for (HeadName head : List.of(new HeadName(0, 3), new HeadName(10, 5), new HeadName(11, 9))) {
                finish(horse(new Objective.Logit(), new View(Optional.of(head), SaliencyCell.THUMBNAIL, skipFirst, false)));
                checkAgainstMap(head.layer() * HEADS + head.head(), skipFirst ? 1 : 0);
            }
        }
    }

    private void checkAgainstMap(int head, int firstColumn) {
        float[] map = values("map");
        float[] rows = Arrays.copyOfRange(values("rows"), head * TOKENS, (head + 1) * TOKENS);
        float[] columns = Arrays.copyOfRange(values("columns"), head * TOKENS, (head + 1) * TOKENS);
        float[] small = Arrays.copyOfRange(
                values("thumbnails"), head * TOKENS * TOKENS, (head + 1) * TOKENS * TOKENS);
        float[] blocks = Arrays.copyOfRange(values("blocks"), head * 4, (head + 1) * 4);
        double total = 0;
        float maximum = 0;
        double gather = 0;
        double[] ofRows = new double[TOKENS];
        double[] ofColumns = new double[TOKENS];
        double[] ofBlocks = new double[4];
        for (int i = 0; i < TOKENS; i++) {
            for (int j = 0; j < TOKENS; j++) {
                float value = map[i * TOKENS + j];
                assertTrue(j <= i || value == 0, "the map of a causal model is triangular");
                ofRows[i] += value;
                ofColumns[j] += value;
                if (i > 0 && j > 0) {
                    ofBlocks[(i < 8 ? 0 : 2) + (j < 8 ? 0 : 1)] += value;
                }
                boolean counts = j >= firstColumn;
                assertEquals(counts ? value : 0, small[i * TOKENS + j], "thumbnail at %d, %d".formatted(i, j));
                if (counts) {
                    total += value;
                    maximum = Math.max(maximum, value);
                    gather += i == HORSE && j < HORSE ? value : 0;
                }
            }
        }
        double near = Tolerance.sum(TOKENS * TOKENS, total + ofColumns[0]);
        for (int i = 0; i < TOKENS; i++) {
            assertEquals(ofRows[i], rows[i], near, "row " + i);
            assertEquals(ofColumns[i], columns[i], near, "column " + i);
        }
        for (int i = 0; i < 4; i++) {
            assertEquals(ofBlocks[i], blocks[i], near, "block " + i);
        }
        int elements = TOKENS * (TOKENS + 1) / 2 - firstColumn * TOKENS;
        assertEquals(maximum, column("maximum")[head]);
        assertEquals(total / elements, column("mean")[head], near);
        assertEquals(map[LAST * TOKENS + HORSE] / total, column("aggregate_share")[head], near / total);
        assertEquals(gather / total, column("gather_share")[head], near / total);
    }

    /** Gradients are linear: the gradient of a difference is the difference of the gradients. */
    @Test
    void logitDifferenceIsLinear() {
        finish(of(TEXT, Optional.of("horse"), Optional.empty(), new Objective.Logit(), MAXIMA));
        float[] horse = values("gate_gradient");
        float[] signedHorse = values("signed");
        finish(of(TEXT, Optional.of("cow"), Optional.empty(), new Objective.Logit(), MAXIMA));
        float[] cow = values("gate_gradient");
        finish(of(TEXT, Optional.of("horse"), Optional.empty(), new Objective.LogitDifference("cow"), MAXIMA));
        float[] difference = values("gate_gradient");
        for (int head = 0; head < ALL_HEADS; head++) {
            assertEquals(horse[head] - cow[head], difference[head],
                    2 * Tolerance.gradient(horse) + 2 * Tolerance.gradient(cow), "head " + head);
            double sum = 0;
            for (int token = 0; token < TOKENS; token++) {
                sum += signedHorse[head * TOKENS + token];
            }
            assertEquals(sum, horse[head], Tolerance.gradient(horse), "signed map of head " + head);
        }
    }

    @Test
    void reportsASmallGradientOfTheLoss() {
        finish(horse(new Objective.Loss(), MAXIMA));
        double largest = Arrays.stream(column("maximum")).max().orElseThrow();
        String confident = "<CHI> looks at a cow <MOT> puts away the goat <CHI> i still see the";
        SaliencySummary found = finish(of(confident, Optional.empty(), Optional.empty(), new Objective.Loss(), MAXIMA));
        assertEquals(Arrays.stream(column("maximum")).max().orElseThrow() < 1e-3, found.nearlyFlat().isPresent());
        assertTrue(largest < 0.01, "the loss of a confident prediction has a small gradient, not " + largest);
    }

    @Test
    void equalRequestsGiveEqualBytes() throws IOException {
        finish(horse(new Objective.Logit(), MAXIMA));
        Files.move(folder.resolve("run"), folder.resolve("first"));
        finish(horse(new Objective.Logit(), MAXIMA));
        DemoRuns.assertSameFiles(folder.resolve("first"), folder.resolve("run"));
    }

    /** Maps of texts of equal length are averaged; tokens that differ are named *. */
    @Test
    void averagesMaps() throws IOException {
        String other = TEXT.replace("painted", "drew").replace("horse", "cow");
        View view = new View(Optional.of(new HeadName(0, 3)), SaliencyCell.MAX, false, false);
        finish(of(TEXT, Optional.of("horse"), Optional.of(GROUPS), new Objective.Logit(), view));
        float[] first = values("map");
        double[] firstMaximum = column("maximum");
        finish(of(other, Optional.of("cow"), Optional.of(GROUPS), new Objective.Logit(), view));
        float[] second = values("map");
        double[] secondMaximum = column("maximum");
        finish(average(texts(line(TEXT, "horse", 7), line(other, "cow", 7)), view, NONE, false));
        float[] mean = values("map");
        for (int i = 0; i < mean.length; i++) {
            assertEquals(((double) first[i] + second[i]) / 2, mean[i], Tolerance.stored(mean[i]));
        }
        for (int i = 0; i < ALL_HEADS; i++) {
            assertEquals((firstMaximum[i] + secondMaximum[i]) / 2, column("maximum")[i],
                    Tolerance.stored(firstMaximum[i] + secondMaximum[i]));
        }
        List<String> names = TokenTable.read(folder.resolve("run/tokens.csv")).tokens();
        assertEquals("*", names.get(HORSE));
        assertEquals("picture", names.get(4));
    }

    /** A further map equals that of a run which enlarges its head, also in the same layer and for groups. */
    @Test
    void furtherMapsAreThoseOfTheirHeads() throws IOException {
        List<HeadName> chosen = List.of(new HeadName(11, 9), new HeadName(0, 3), new HeadName(11, 2));
        Path uneven = texts(line(TEXT, "horse", 7), line("<MOT> holds a toy frog <CHI> show me the", "frog", 5));
        for (boolean groups : new boolean[] {false, true}) {
            View several = new View(Optional.of(new HeadName(11, 2)), SaliencyCell.MAX, false, false, chosen);
            finish(groups ? average(uneven, several, NONE, false) : horse(new Objective.Logit(), several));
            List<SaliencyResult.Chosen> maps = SaliencyResult.read(folder.resolve("run")).chosen();
            assertArrayEquals(values("map"), maps.get(2).map());
            assertEquals(List.of("saliency.png", "saliency-11.9.png", "saliency-0.3.png", "saliency-11.2.png"),
                    List.copyOf(RunFigures.of(folder.resolve("run")).keySet()));
            for (int i = 0; i < chosen.size(); i++) {
                View one = new View(Optional.of(chosen.get(i)), SaliencyCell.MAX, false, false);
                finish(groups ? average(uneven, one, NONE, false) : horse(new Objective.Logit(), one));
                assertArrayEquals(values("map"), maps.get(i).map());
                assertEquals(chosen.get(i), new HeadName(maps.get(i).layer(), maps.get(i).head()));
                assertEquals(SaliencyResult.read(folder.resolve("run")).manifest().caption(), maps.get(i).caption());
            }
        }
    }

    /** Maps of texts of different lengths are averaged by group. */
    @Test
    void averagesGroups() throws IOException {
        Path texts = texts(line(TEXT, "horse", 7), line("<MOT> holds a toy frog <CHI> show me the", "frog", 5));
        finish(average(texts, new View(Optional.empty(), SaliencyCell.SHARE, false, false), NONE, false));
        assertEquals(List.of("<ENV>", "<LAN>"), TokenTable.read(folder.resolve("run/tokens.csv")).tokens());
        float[] map = values("map");
        float[] blocks = values("blocks");
        double[] shares = column("aggregate_share");
        int best = 0;
        for (int head = 0; head < ALL_HEADS; head++) {
            best = shares[head] > shares[best] ? head : best;
        }
        for (int i = 0; i < 4; i++) {
            double mean = ((double) blocks[best * 4 + i] + blocks[(ALL_HEADS + best) * 4 + i]) / 2;
            assertEquals(mean, map[i], Tolerance.stored(mean));
        }
    }

    @Test
    void resumesAfterInterruptions() throws IOException {
        Path texts = grounding(10);
        Ablation ablation = new Ablation(List.of(new HeadName(11, 9), new HeadName(10, 5)), 3, 7);
        View view = new View(Optional.empty(), SaliencyCell.MEAN, false, false);
        finish(average(texts, view, ablation, false));
        Files.move(folder.resolve("run"), folder.resolve("uninterrupted"));
        for (int stop : new int[] {3, 14}) {
            try (Saliency saliency =
                    Saliency.open(average(texts, view, ablation, true), InputStream.nullInputStream())) {
                DemoRuns.interrupt(stop, progress -> saliency.observe((done, of) -> {
                    assertEquals(20, of);
                    progress.reached(done, of);
                }));
            }
        }
        finish(average(texts, view, ablation, true));
        DemoRuns.assertSameFiles(folder.resolve("uninterrupted"), folder.resolve("run"));
    }

    /** Ablating the heads that carry the answer raises its surprisal more than ablating random heads. */
    @Test
    void ablatesHeads() throws IOException {
        Ablation ablation = new Ablation(List.of(new HeadName(11, 9), new HeadName(10, 5)), 5, 1);
        SaliencySummary.Ablated found = finish(average(grounding(20), MAXIMA, ablation, false))
                .ablated().orElseThrow();
        assertEquals(20, found.texts());
        assertEquals(5, found.random().size());
        float[] surprisals = values("ablated_surprisal");
        float[] unablated = values("surprisal");
        for (int text = 0; text < 20; text++) {
            // A pass over one text and a pass over several copies of it round differently.
            assertEquals(unablated[text], surprisals[text * 7], Tolerance.fp32(new float[] {20}), "text " + text);
        }
        assertTrue(found.change() > found.random().stream().mapToDouble(change -> change).average().orElseThrow());
    }

    @Test
    void drawsRandomHeadsWithoutTheGivenOnes() {
        Ablation ablation = new Ablation(List.of(new HeadName(0, 0), new HeadName(1, 1)), 50, 3);
        try (Checkpoint checkpoint = Checkpoint.open(DemoRuns.MODEL)) {
            List<float[]> gates = AblationSets.of(ablation, checkpoint.config()).gates();
            assertEquals(52, gates.size());
            for (int draw = 2; draw < gates.size(); draw++) {
                float[] factors = gates.get(draw);
                int ablated = 0;
                for (float factor : factors) {
                    ablated += factor == 0 ? 1 : 0;
                }
                assertEquals(2, ablated);
                assertEquals(1, factors[0]);
                assertEquals(1, factors[HEADS + 1]);
            }
            assertTrue(gates.stream().map(Arrays::toString).distinct().count() > 40, "distinct draws");
        }
    }

    private void rejects(String message, SaliencyRequest request) {
        DemoRuns.assertRejected(message, request.run().out(), () -> finish(request));
    }

    @Test
    void rejectsInvalidTextsAndWords() throws IOException {
        Objective logit = new Objective.Logit();
        Optional<String> none = Optional.empty();
        rejects("--text: at least two tokens are needed, not 1", of("", none, none, logit, MAXIMA));
        rejects("--text: 131 tokens; the model takes at most 128: shorten the text",
                of("a ".repeat(130), none, none, logit, MAXIMA));
        rejects("--target: \"zebra\" is not in the model's vocabulary; name another word",
                of(TEXT, Optional.of("zebra"), none, logit, MAXIMA));
        rejects("--groups: \"x\" is not a group; write FIRST-LAST:LABEL, tokens counted from 0 without those that the "
                + "tokenizer prepends", of(TEXT, none, Optional.of("x"), logit, MAXIMA));
        rejects("--groups: group \"b\" overlaps the one before or ends beyond the text's 13 tokens",
                of(TEXT, none, Optional.of("0-5:a,5:b"), logit, MAXIMA));
        rejects("--groups: group \"a\" overlaps the one before or ends beyond the text's 13 tokens",
                of(TEXT, none, Optional.of("0-13:a"), logit, MAXIMA));
        rejects("--groups: group \"a\" contains no token", of(TEXT, none, Optional.of("5-4:a"), logit, MAXIMA));
        rejects("--objective: \"horse\" is the target itself; name another word in --objective logit-difference",
                of(TEXT, Optional.of("horse"), none, new Objective.LogitDifference("horse"), MAXIMA));
        rejects("--objective logit-difference:horse: that is the target itself, which the model predicts; name "
                + "another word", horse(new Objective.LogitDifference("horse"), MAXIMA));
        rejects("--head: there is no head 12.0; the model has 12 layers of 12 heads, counted from 0",
                horse(logit, new View(Optional.of(new HeadName(12, 0)), SaliencyCell.MAX, false, false)));
        String noShare = "--cell share: the target does not occur earlier in the text (in its first group, if there "
                + "are groups); choose another --cell";
        View share = new View(Optional.empty(), SaliencyCell.SHARE, false, false);
        rejects(noShare, of(TEXT, Optional.of("cow"), none, logit, share));
        rejects(noShare, of(TEXT, none, Optional.of("0-2:a,3-12:b"), logit, share));
        Path uneven = texts(line(TEXT, "horse", 7), line("<MOT> holds a toy frog <CHI> show me the", "frog", 5));
        rejects(uneven + ": the texts differ in length, so their maps cannot be averaged: choose another --cell",
                average(uneven, new View(Optional.empty(), SaliencyCell.THUMBNAIL, false, false), NONE, false));
        Path bare = texts("{\"prompt\": \"a a\", \"answer\": \"a\"}", "{\"prompt\": \"a a a\", \"answer\": \"a\"}");
        rejects(bare + ": the texts differ in length, so they can be averaged only over groups: give every line "
                + "\"groups\" with the same labels", average(bare, MAXIMA, NONE, false));
        Path nameless = texts("{\"prompt\": \"a a\", \"answer\": \"a\", \"groups\": [{\"start\": 0}]}");
        rejects(nameless + ": line 1: a group is {\"label\": \"...\", \"start\": 0, \"end\": 7}, not {\"start\":0}",
                average(nameless, MAXIMA, NONE, false));
    }

    @Test
    void rejectsContradictoryOptions() {
        Optional<String> none = Optional.empty();
        Objective loss = new Objective.Loss();
        Ablation some = new Ablation(List.of(new HeadName(0, 0)), 1, 0);
        assertThrows(InputException.class, () -> new SaliencyRequest(
                run(false), none, none, Join.AUTO, none, none, false, loss, MAXIMA, 0.3, NONE));
        assertThrows(InputException.class, () -> new SaliencyRequest(
                run(false), none, none, Join.AUTO, none, none, true, loss, MAXIMA, 0.3, NONE));
        assertThrows(InputException.class, () -> new SaliencyRequest(
                run(false), Optional.of("a"), none, Join.AUTO, none, Optional.of("b"), true, loss, MAXIMA, 0.3, NONE));
        assertThrows(InputException.class, () -> new SaliencyRequest(
                run(false), Optional.of("a"), none, Join.AUTO, none, none, false, loss, MAXIMA, 0.3, some));
        assertThrows(InputException.class, () -> new SaliencyRequest(
                run(false), Optional.of("a"), none, Join.AUTO, none, Optional.of("b"), false, loss, MAXIMA, 0.3, NONE));
        assertThrows(InputException.class, () -> new SaliencyRequest(
                run(false), none, Optional.of("a"), Join.AUTO, none, Optional.of("b"), true, loss, MAXIMA, 0.3, NONE));
        assertThrows(InputException.class, () -> new SaliencyRequest(
                run(false), Optional.of("a"), none, Join.AUTO, none, none, false, loss, MAXIMA, 0, NONE));
        for (String wrong : List.of("a", "1", "1.", "1.2.3", "-1.2", "")) {
            assertThrows(InputException.class, () -> HeadName.parse("--head", wrong), wrong);
        }
        for (String wrong : List.of("", "Logit", "logit-difference", "logit-difference:")) {
            assertThrows(InputException.class, () -> Objective.parse(wrong), wrong);
        }
    }
}
