package headscope.result;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Equality of records by content, component by component; the equality of records compares arrays by identity. */
final class RecordEquality {
    private RecordEquality() {}

    static void assertSame(Object expected, Object actual) {
        compare(expected, actual, "");
    }

    /** @param path of the compared values, for the message */
    private static void compare(Object expected, Object actual, String path) {
        switch (expected) {
            case float[] values -> assertArrayEquals(values, (float[]) actual, path);
            case double[] values -> assertArrayEquals(values, (double[]) actual, path);
            case long[] values -> assertArrayEquals(values, (long[]) actual, path);
            case int[] values -> assertArrayEquals(values, (int[]) actual, path);
            case int[][] values -> assertArrayEquals(values, (int[][]) actual, path);
            case List<?> list -> {
                List<?> other = (List<?>) actual;
                assertEquals(list.size(), other.size(), path);
                for (int i = 0; i < list.size(); i++) {
                    compare(list.get(i), other.get(i), "%s[%d]".formatted(path, i));
                }
            }
            case Map<?, ?> map -> {
                Map<?, ?> other = (Map<?, ?>) actual;
                assertEquals(map.keySet(), other.keySet(), path);
                map.forEach((key, value) -> compare(value, other.get(key), "%s[%s]".formatted(path, key)));
            }
            case Optional<?> optional -> {
                Optional<?> other = (Optional<?>) actual;
                assertEquals(optional.isPresent(), other.isPresent(), path);
                optional.ifPresent(value -> compare(value, other.get(), path));
            }
            case Record one -> {
                assertNotNull(actual, path);
                assertEquals(one.getClass(), actual.getClass(), path);
                for (RecordComponent component : one.getClass().getRecordComponents()) {
                    compare(value(component, one), value(component, actual), path + "." + component.getName());
                }
            }
            default -> assertEquals(expected, actual, path);
        }
    }

    private static Object value(RecordComponent component, Object record) {
        try {
            return component.getAccessor().invoke(record);
        } catch (ReflectiveOperationException failure) {
            throw new AssertionError(failure);
        }
    }
}
