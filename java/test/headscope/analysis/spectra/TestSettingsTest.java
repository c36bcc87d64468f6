package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.analysis.spectra.SpectraRequest.PerSample;
import headscope.result.SpectraView;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TestSettingsTest {
    private static final List<String> PUBLISHED = SpectraView.PUBLISHED.drawn();

    private static String id(PerSample perSample, List<String> metrics, boolean probes) {
        return new TestSettings(10, perSample, metrics, SpectraView.PUBLISHED, probes, 0).id("0123456789ab");
    }

    @Test
    void whatDecidesTheTestsIsPartOfTheRunsId() {
        List<String> ids = Stream.of(
                id(PerSample.MEAN, PUBLISHED, true), id(PerSample.POOLED, PUBLISHED, true),
                id(PerSample.MEAN, List.of("entropy"), true), id(PerSample.MEAN, PUBLISHED, false)).distinct().toList();
        assertEquals(4, ids.size());
        assertEquals("0123456789ab", ids.getFirst(), "published tests");
        assertEquals(List.of(12), ids.stream().map(String::length).distinct().toList());
    }
}
