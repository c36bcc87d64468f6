package headscope.backend.cuda;

import java.util.Optional;

/** Matrix products with Headscope's own kernels, for machines without cuBLAS. */
final class ProductKernels {
    private ProductKernels() {}

    static void multiply(Device device, Product product) {
        if (product.aTransposed()) {
            gradient(device, "linear_weight_gradient", product, product.k(), product.n(), product.m());
        } else if (product.bTransposed()) {
            Kernels kernels = new Kernels(device);
            device.launch(Launch.flat(
                    name("linear", product), kernels.tiles(product.m(), "linear_row_tile"),
                    kernels.tiles(product.n(), "linear_column_tile"), device.constant("linear_threads"),
                    product.destination(), product.a(), product.b(), Optional.empty(),
                    product.m(), product.k(), product.n(), product.adds() ? 1 : 0));
        } else {
            gradient(device, "linear_gradient", product, product.m(), product.n(), product.k());
        }
    }

    /** Sizes as in cuda/linear_gradient.cu: rows of x, inputs, outputs. */
    private static void gradient(Device device, String family, Product product, int rows, int in, int out) {
        Kernels kernels = new Kernels(device);
        device.launch(Launch.flat(
                name(family, product), kernels.tiles(product.m(), "linear_gradient_tile"),
                kernels.tiles(product.n(), "linear_gradient_tile"), device.constant("linear_gradient_threads"),
                product.destination(), product.a(), product.b(), rows, in, out));
    }

    private static String name(String family, Product product) {
        return family + "_" + Kernels.name(product.a().dtype());
    }
}
