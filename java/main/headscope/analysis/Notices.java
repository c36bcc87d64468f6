package headscope.analysis;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** One-line notices for the user, from any thread, such as why a run computes on the CPU. They wait until somebody receives them. */
public final class Notices implements Consumer<String> {
    private final List<String> waiting = new ArrayList<>();
    private Optional<Consumer<String>> receiver = Optional.empty();

    @Override
    public synchronized void accept(String notice) {
        receiver.ifPresentOrElse(to -> to.accept(notice), () -> waiting.add(notice));
    }

    /** Passes on what waits, and all later notices as they come. */
    public synchronized void sendTo(Consumer<String> to) {
        waiting.forEach(to);
        waiting.clear();
        receiver = Optional.of(to);
    }
}
