package headscope.backend;

import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** A backend that records which operations are called, or makes one operation return one wrong value. */
public final class InstrumentedBackend implements InvocationHandler {
    /** Methods of {@link Backend} that compute nothing. */
    private static final Set<String> NOT_OPERATIONS = Set.of(
            "describe", "isGpu", "allocate", "liveBytes", "precision", "operands", "weights", "upload", "download", "share",
            "decoding", "time", "peakBytes", "keepableBytes", "gradients", "close");
    private static final String GRADIENTS = "gradients.";

    private final Backend backend;
    private final Object actual;
    private final String prefix;
    private final String wrong;
    private final Collection<String> called;

    private InstrumentedBackend(Backend backend, Object actual, String prefix, String wrong, Collection<String> called) {
        this.backend = backend;
        this.actual = actual;
        this.prefix = prefix;
        this.wrong = wrong;
        this.called = called;
    }

    /** Names of all operations; those of {@link Gradients} have a prefix, as in gradients.linear. */
    public static List<String> operations() {
        return Stream.concat(
                names(Backend.class).filter(name -> !NOT_OPERATIONS.contains(name)),
                names(Gradients.class).map(GRADIENTS::concat)).toList();
    }

    private static Stream<String> names(Class<?> type) {
        return Arrays.stream(type.getMethods()).filter(method -> !Modifier.isStatic(method.getModifiers()))
                .map(Method::getName).distinct().sorted();
    }

    /** @param called receives the name of each called method, that of an operation among them */
    public static Backend recording(Backend backend, Collection<String> called) {
        return proxy(Backend.class, new InstrumentedBackend(backend, backend, "", "", called));
    }

    /** @param operation the operation whose first result gets one wrong value */
    public static Backend faulty(Backend backend, String operation) {
        return proxy(Backend.class, new InstrumentedBackend(backend, backend, "", operation, new TreeSet<>()));
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        String name = prefix + method.getName();
        called.add(name);
        Object result;
        try {
            result = method.invoke(actual, arguments);
        } catch (InvocationTargetException failure) {
            throw failure.getCause();
        }
        if (name.equals("measure") && name.equals(wrong)) {
            return List.of(spoilt((LayerResult) ((List<?>) result).getFirst(), (List<?>) arguments[0]));
        }
        if (name.equals(wrong)) {
            spoil(result, arguments);
        }
        return result instanceof Gradients
                ? proxy(Gradients.class, new InstrumentedBackend(backend, result, GRADIENTS, wrong, called))
                : result;
    }

    /** The result with one wrong value of the last metric. */
    private static LayerResult spoilt(LayerResult result, List<?> metrics) {
        Map<Metric, double[][]> values = new HashMap<>();
        for (Object metric : metrics) {
            values.put((Metric) metric, result.of((Metric) metric));
        }
        values.get(metrics.getLast())[0][0] += 1;
        return new LayerResult(values);
    }

    private void spoil(Object result, Object[] arguments) {
        if (result instanceof int[] values) {
            values[values.length - 1]++;
            return;
        }
        if (result instanceof AttentionSnapshot snapshot) {
            snapshot.cells()[snapshot.cells().length / 2] += 1;
            return;
        }
        if (result instanceof List<?> ofTexts && ofTexts.getFirst() instanceof double[][] values) {
            values[values.length - 1][0] += 1;
            return;
        }
        Tensor spoilt = wrong.equals("attentionStatistics")
                ? ((AttentionStatistics) arguments[arguments.length - 1]).entropy
                : (Tensor) arguments[0];
        float[] values = backend.download(spoilt);
        values[values.length / 2] += 1;
        backend.upload(spoilt, MemorySegment.ofArray(values));
    }
}
