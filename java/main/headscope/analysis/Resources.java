package headscope.analysis;

import java.util.ArrayDeque;
import java.util.Deque;

/** Resources that are closed together, in reverse order of their opening. */
final class Resources implements AutoCloseable {
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();

    <T extends AutoCloseable> T add(T resource) {
        resources.push(resource);
        return resource;
    }

    @Override
    public void close() {
        RuntimeException first = null;
        while (!resources.isEmpty()) {
            try {
                resources.pop().close();
            } catch (RuntimeException failure) {
                first = first == null ? failure : first;
            } catch (Exception checked) {
                throw new AssertionError("no resource of this program throws a checked exception", checked);
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
