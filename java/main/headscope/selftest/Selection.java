package headscope.selftest;

import java.util.List;

/**
 * Selects cases of a self-test.
 *
 * @param operations prefixes of names of operations; empty for all operations
 * @param maxTokens  maximum number of tokens of a case
 */
public record Selection(List<String> operations, int maxTokens) {
    /** @throws IllegalArgumentException if a prefix matches no operation */
    public Selection {
        List<String> known = SelfTest.operations();
        for (String operation : operations) {
            if (known.stream().noneMatch(name -> name.startsWith(operation))) {
                throw new IllegalArgumentException("no operation begins with \"%s\"; known are %s"
                        .formatted(operation, String.join(", ", known)));
            }
        }
        if (maxTokens < 1) {
            throw new IllegalArgumentException("a text has at least one token, not " + maxTokens);
        }
    }

    boolean takes(Case one) {
        return one.tokens() <= maxTokens
                && (operations.isEmpty() || operations.stream().anyMatch(one.operation()::startsWith));
    }
}
