package headscope.analysis;

import java.util.ArrayDeque;
import java.util.Deque;

/** What was opened along the way, closed in reverse. */
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
                throw new AssertionError("nothing that is opened here throws it", checked);
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
