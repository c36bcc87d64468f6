package headscope.selftest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.backend.InstrumentedBackend;
import headscope.backend.Precision;
import headscope.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The self-test passes on correct devices, and finds each wrong operation. */
class SelfTestTest {
    private static final Selection SMALL = new Selection(List.of(), 31);
    private static final Selection SMALLEST = new Selection(List.of(), 17);

    private static List<SelfTest.Outcome> run(Backend device, Selection selection) {
        Precision precision = Precision.valueOf(device.operands().name());
        try (Backend cpu = Backend.open("cpu:1")) {
            List<SelfTest.Outcome> shown = new ArrayList<>();
            List<SelfTest.Outcome> outcomes = SelfTest.run(device, precision, cpu, selection, shown::add);
            assertEquals(outcomes, shown);
            assertEquals(SelfTest.count(precision, selection), outcomes.size());
            return outcomes;
        }
    }

    private static List<SelfTest.Outcome> wrong(List<SelfTest.Outcome> outcomes) {
        return outcomes.stream().filter(outcome -> !outcome.agrees()).toList();
    }

    @Test
    void threadsAgreeWithOne() {
        try (Backend cpu = Backend.open("cpu")) {
            assertEquals(List.of(), wrong(run(cpu, SMALL)));
            assertEquals(0, cpu.liveBytes());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F16"})
    void kernelsAgreeWithTheCpu(DType operands) {
        try (Backend emulated = Devices.emulated(operands)) {
            assertEquals(List.of(), wrong(run(emulated, SMALL)));
            assertEquals(0, emulated.liveBytes());
        }
    }

    @Test
    void kernelsForHopperAgreeWithTheCpu() {
        try (Backend emulated = Devices.emulatedHopper(DType.BF16)) {
            assertEquals(List.of(), wrong(run(emulated, SMALL)));
            assertEquals(0, emulated.liveBytes());
        }
    }

    @Test
    void callsEveryOperation() {
        Set<String> called = new TreeSet<>();
        try (Backend cpu = Backend.open("cpu:1")) {
            run(InstrumentedBackend.recording(cpu, called), SMALLEST);
        }
        Set<String> forgotten = new TreeSet<>(InstrumentedBackend.operations());
        forgotten.removeAll(called);
        assertEquals(Set.of(), forgotten);
    }

    static List<String> operations() {
        return InstrumentedBackend.operations();
    }

    @ParameterizedTest
    @MethodSource("operations")
    void findsAWrongOperation(String operation) {
        try (Backend cpu = Backend.open("cpu:1")) {
            List<SelfTest.Outcome> outcomes = run(InstrumentedBackend.faulty(cpu, operation), SMALLEST);
            assertFalse(wrong(outcomes).isEmpty());
            assertTrue(wrong(outcomes).size() < outcomes.size());
        }
    }

    /** The exception of a case is its outcome, and the other cases still run. */
    @Test
    void continuesAfterAnException() {
        Selection linear = new Selection(List.of("linear"), 129);
        try (Backend little = Devices.emulated(1 << 16)) {
            List<SelfTest.Outcome> outcomes = run(little, linear);
            assertTrue(outcomes.getFirst().agrees());
            assertTrue(outcomes.getLast().fault().contains("MiB of memory are needed"), outcomes.getLast().fault());
            assertFalse(outcomes.getLast().agrees());
        }
    }

    @Test
    void selectsCases() {
        try (Backend cpu = Backend.open("cpu:1")) {
            List<SelfTest.Outcome> outcomes = run(cpu, new Selection(List.of("soft", "scaleH"), 3));
            assertEquals(List.of("softCap, 1 x 1", "scaleHeads, 1 x 4 x 1", "softCap, 3 x 33", "scaleHeads, 3 x 4 x 33"),
                    outcomes.stream().map(outcome -> outcome.operation() + ", " + outcome.sizes()).toList());
        }
        assertThrows(IllegalArgumentException.class, () -> new Selection(List.of("unknown"), 3));
        assertThrows(IllegalArgumentException.class, () -> new Selection(List.of(), 0));
    }

    /** Equal infinities agree; NaN and missing values do not. */
    @Test
    void measuresErrors() {
        float infinite = Float.NEGATIVE_INFINITY;
        assertEquals(0, SelfTest.error(new float[] {1, infinite, Float.NaN}, new float[] {1, infinite, Float.NaN}));
        assertEquals(0.25, SelfTest.error(new float[] {1, -4}, new float[] {2, -4}));
        for (float[] other : new float[][] {{1}, {1, Float.NaN}, {1, infinite}}) {
            double error = SelfTest.error(new float[] {1, 2}, other);
            assertFalse(new SelfTest.Outcome("", "", error, 1, "").agrees(), error + "");
        }
    }
}
