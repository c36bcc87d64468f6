package headscope.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FinitenessTest {
    /** All 65,536 values, in either half of a word. */
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void everyHalf(DType type) {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = type == DType.F16 ? Float.float16ToFloat((short) bits) : Float.intBitsToFloat(bits << 16);
            for (int place = 0; place < 2; place++) {
                short[] pair = {0, 0};
                pair[place] = (short) bits;
                assertEquals(Float.isFinite(value), Finiteness.holds(type, MemorySegment.ofArray(pair)), value + " at " + place);
            }
        }
    }

    @Test
    void singlePrecision() {
        Random random = Seed.random();
        for (int i = 0; i < 100_000; i++) {
            int bits = random.nextInt() | (i % 2 == 0 ? 0x7f80_0000 : 0);
            assertEquals(Float.isFinite(Float.intBitsToFloat(bits)),
                    Finiteness.holds(DType.F32, MemorySegment.ofArray(new int[] {bits})), Integer.toHexString(bits));
        }
        for (float extreme : new float[] {Float.MAX_VALUE, -Float.MAX_VALUE, Float.MIN_VALUE, -0f}) {
            assertTrue(Finiteness.holds(DType.F32, MemorySegment.ofArray(new float[] {extreme})));
        }
    }

    /** At every place of memory that is not a whole number of blocks or words, and at odd addresses. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8191, 8192, 8193, 20_001})
    void anywhere(int count) {
        byte[] bytes = new byte[2 * count + 1];
        MemorySegment elements = MemorySegment.ofArray(bytes).asSlice(1);
        assertTrue(Finiteness.holds(DType.BF16, elements));
        for (int place = 0; place < count; place += place < 10 || place > count - 10 ? 1 : 97) {
            elements.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * place, (short) 0x7fc0);
            assertFalse(Finiteness.holds(DType.BF16, elements), "at " + place);
            elements.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * place, (short) 0x7f7f);
        }
    }

    @Test
    void nothingIsFinite() {
        assertTrue(Finiteness.holds(DType.F32, MemorySegment.ofArray(new byte[0])));
        assertThrows(IllegalArgumentException.class, () -> Finiteness.holds(DType.I32, MemorySegment.ofArray(new byte[4])));
    }
}
