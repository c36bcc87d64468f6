package headscope.selftest;

import java.util.List;

/**
 * Which cases of a self-test are run.
 *
 * @param operations beginnings of operations' names; empty: all operations
 * @param mostTokens of a case
 */
public record Selection(List<String> operations, int mostTokens) {
    /** @throws IllegalArgumentException if no operation begins so */
    public Selection {
        List<String> known = SelfTest.operations();
        for (String operation : operations) {
            if (known.stream().noneMatch(name -> name.startsWith(operation))) {
                throw new IllegalArgumentException("no operation begins with \"%s\"; there are %s"
                        .formatted(operation, String.join(", ", known)));
            }
        }
        if (mostTokens < 1) {
            throw new IllegalArgumentException("a text has at least one token, not " + mostTokens);
        }
    }

    boolean takes(Case one) {
        return one.tokens() <= mostTokens
                && (operations.isEmpty() || operations.stream().anyMatch(one.operation()::startsWith));
    }
}
