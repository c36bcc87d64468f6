package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.Deque;

/** The experts that one backend chooses for every token, given to another backend that runs the same passes. */
final class GivenRouting {
    /** Of each call: [tokens * experts]. */
    private final Deque<boolean[]> chosen = new ArrayDeque<>();

    private interface Route {
        void route(Tensor logits, int count);
    }

    /** The backend, whose choices are recorded. */
    Backend recording(Backend backend) {
        return routedBy(backend, (logits, count) -> {
            backend.route(logits, count);
            float[] shares = backend.download(logits);
            boolean[] used = new boolean[shares.length];
            for (int i = 0; i < shares.length; i++) {
                used[i] = shares[i] > 0;
            }
            chosen.add(used);
        });
    }

    /** The backend, which chooses as recorded, call by call, and computes the shares of the chosen experts itself. */
    Backend replaying(Backend backend) {
        return routedBy(backend, (logits, count) -> {
            boolean[] used = chosen.remove();
            float[] values = backend.download(logits);
            for (int i = 0; i < values.length; i++) {
                values[i] = used[i] ? values[i] : -Float.MAX_VALUE;
            }
            backend.upload(logits, MemorySegment.ofArray(values));
            backend.route(logits, count);
        });
    }

    /** Whether every recorded choice has been given. */
    boolean isUsedUp() {
        return chosen.isEmpty();
    }

    private static Backend routedBy(Backend backend, Route route) {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("route")) {
                        route.route((Tensor) arguments[0], (int) arguments[1]);
                        return null;
                    }
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException failure) {
                        throw failure.getCause();
                    }
                });
    }
}
