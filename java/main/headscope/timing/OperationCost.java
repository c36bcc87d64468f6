package headscope.timing;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Projections;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The minimum work of the kernels of one operation of a backend, from its arguments. A product of rows [n] and a matrix
 * [out, in] has 2 n in out operations, attention as many as its products of visible pairs; any other operation counts as
 * one per element of its first tensor. Every tensor is transferred once, twice if it changes in place.
 *
 * @param main    cost of the main kernel, and of the operation on a device without kernels
 * @param columns cost of the kernel that adds up columns of attention maps; 0 elsewhere
 */
record OperationCost(Cost main, Cost columns) {
    private static final Cost NONE = new Cost(0, 0);
    private static final Set<String> IN_PLACE = Set.of(
            "add", "addRow", "scale", "multiply", "scaleHeads", "softCap", "route", "addShare");

    /** Row statistics of attention: six fp32 values per head and query. */
    private static final double ROW_STATISTICS = 6.0 * Float.BYTES;

    /** An fp32 log-sum-exp or score and an fp64 column sum. */
    private static final double COLUMN_BYTES = Float.BYTES + Double.BYTES;

    /** Kernels that compute an operation's result; the others prepare or round operands, and their work is not known. */
    private static final List<String> MAIN_KERNELS = List.of("cpu", "attention_forward", "attention_decode", "cublas", "linear");

    static OperationCost of(String operation, Object[] arguments, Pass pass) {
        List<Tensor> tensors = tensors(arguments);
        Optional<AttentionSpec> spec = Arrays.stream(arguments)
                .filter(AttentionSpec.class::isInstance).map(AttentionSpec.class::cast).findFirst();
        if (operation.startsWith("attention") && spec.isPresent() && tensors.size() >= 2) {
            return attention(pass, spec.get(), tensors.getLast().dtype(), hasStatistics(arguments));
        }
        if (tensors.isEmpty()) {
            return new OperationCost(NONE, NONE);
        }
        Tensor first = tensors.getFirst();
        if (operation.equals("embed")) {
            return new OperationCost(new Cost(first.count(), 2 * bytes(first)), NONE);
        }
        if (operation.equals("splitHeads")) {
            DType written = Arrays.stream(arguments)
                    .filter(Projections.class::isInstance).map(Projections.class::cast).findFirst().orElseThrow().q().dtype();
            return new OperationCost(new Cost(first.count(), bytes(first) + (double) first.count() * written.bytes), NONE);
        }
        double moved = tensors.stream().mapToDouble(OperationCost::bytes).sum()
                + (IN_PLACE.contains(operation) ? bytes(first) : 0);
        if (isProduct(operation, tensors)) {
            Tensor x = tensors.get(1);
            return new OperationCost(new Cost(2.0 * first.count() * x.size(x.rank() - 1), moved), NONE);
        }
        return new OperationCost(new Cost(first.count(), moved), NONE);
    }

    /** The name of an operation: that of its method and, for a product, the shape of its matrix. */
    static String name(String operation, Object[] arguments) {
        List<Tensor> tensors = tensors(arguments);
        if (!isProduct(operation, tensors)) {
            return operation;
        }
        Tensor matrix = tensors.get(2);
        return "%s %d x %d".formatted(operation, matrix.size(0), matrix.size(1));
    }

    /** @param alone whether the operation has no other kernel */
    Cost of(String kernel, boolean alone) {
        if (kernel.startsWith("attention_columns")) {
            return columns;
        }
        return alone || MAIN_KERNELS.stream().anyMatch(kernel::startsWith) ? main : NONE;
    }

    private static OperationCost attention(Pass pass, AttentionSpec spec, DType stored, boolean observed) {
        double products = 2.0 * spec.headDim() * pass.pairs(spec) * spec.heads();
        double queries = (double) spec.heads() * spec.headDim() * pass.rows() * Float.BYTES;
        double keys = (double) spec.kvHeads() * spec.headDim() * pass.keys(spec) * stored.bytes;
        double rows = observed ? ROW_STATISTICS * spec.heads() * pass.rows() : 0;
        double columns = spec.heads() * pass.keys(spec) * COLUMN_BYTES;
        return new OperationCost(new Cost(2 * products, 2 * queries + 2 * keys + rows),
                pass.tokens() == 1
                        ? new Cost(spec.heads() * pass.keys(spec), columns) // a decoded row's scores are kept
                        : new Cost(products, queries + keys + columns));
    }

    private static boolean hasStatistics(Object[] arguments) {
        return Arrays.stream(arguments)
                .anyMatch(one -> one instanceof Optional<?> some && some.filter(AttentionStatistics.class::isInstance).isPresent());
    }

    private static boolean isProduct(String operation, List<Tensor> tensors) {
        return operation.startsWith("linear") && tensors.size() >= 3 && tensors.get(2).rank() == 2;
    }

    private static double bytes(Tensor tensor) {
        return (double) tensor.count() * tensor.dtype().bytes;
    }

    private static List<Tensor> tensors(Object[] arguments) {
        List<Tensor> tensors = new ArrayList<>();
        for (Object argument : arguments) {
            Object given = argument instanceof Optional<?> some ? some.orElse(null) : argument;
            if (given instanceof Tensor tensor) {
                tensors.add(tensor);
            }
        }
        return tensors;
    }
}
