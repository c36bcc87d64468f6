package headscope.timing;

import headscope.backend.Backend;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Times the operations of a pass one by one. A model on {@link #backend} runs as on the clock's own backend, except while
 * a pass is timed: each operation then waits for the one before it. The backend is a proxy, so that an operation added to
 * {@link Backend} is timed as well.
 */
final class OperationClock implements InvocationHandler {
    /** Methods that launch nothing of their own; those without arguments are not timed either. */
    private static final Set<String> NOT_TIMED = Set.of("allocate", "upload", "download", "share", "time");
    private static final Object[] NOTHING = {};

    private final Backend device;
    private final Backend backend;
    private Optional<Running> running = Optional.empty();

    OperationClock(Backend device) {
        this.device = device;
        this.backend = (Backend) Proxy.newProxyInstance(Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, this);
    }

    /** A kernel of an operation; "cpu" on a device without kernels. */
    record Key(String operation, String kernel) {}

    /** Time and minimum work of all launches of a kernel by an operation. */
    record Spent(double seconds, Cost cost) {
        Spent plus(Spent other) {
            return new Spent(seconds + other.seconds, cost.plus(other.cost));
        }
    }

    private record Running(Pass pass, SequencedMap<Key, Spent> spent) {}

    /** The backend of the model whose passes are timed. */
    Backend backend() {
        return backend;
    }

    /** Runs a pass and returns what each kernel of each operation took, in the order of the first launches. */
    SequencedMap<Key, Spent> time(Pass pass, Runnable work) {
        SequencedMap<Key, Spent> spent = new LinkedHashMap<>();
        running = Optional.of(new Running(pass, spent));
        try {
            work.run();
        } finally {
            running = Optional.empty();
        }
        return spent;
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] given) throws Throwable {
        Object[] arguments = given == null ? NOTHING : given;
        if (running.isEmpty() || arguments.length == 0 || NOT_TIMED.contains(method.getName())) {
            return call(method, arguments);
        }
        Running outer = running.get();
        running = Optional.empty(); // what an operation calls is part of it
        try {
            Object[] result = new Object[1];
            SequencedMap<String, Double> seconds = device.time(() -> result[0] = call(method, arguments));
            add(outer, method.getName(), arguments, seconds);
            return result[0];
        } finally {
            running = Optional.of(outer);
        }
    }

    private static void add(Running running, String method, Object[] arguments, SequencedMap<String, Double> seconds) {
        String operation = OperationCost.name(method, arguments);
        OperationCost cost = OperationCost.of(method, arguments, running.pass());
        seconds.forEach((kernel, time) -> running.spent().merge(new Key(operation, kernel),
                new Spent(time, cost.of(kernel, seconds.size() == 1)), Spent::plus));
    }

    private Object call(Method method, Object[] arguments) {
        try {
            return method.invoke(device, arguments);
        } catch (InvocationTargetException failure) {
            return rethrown(failure.getCause());
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(impossible); // Backend is public
        }
    }

    /** The methods of a backend throw no checked exceptions. */
    private static Object rethrown(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        throw failure instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(failure);
    }
}
