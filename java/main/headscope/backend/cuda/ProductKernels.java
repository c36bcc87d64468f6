package headscope.backend.cuda;

/** Matrix products by our own kernels, where there is no cuBLAS. */
final class ProductKernels {
    private ProductKernels() {}

    static void multiply(Device device, Product product) {
        Kernels kernels = new Kernels(device);
        device.launch(new Launch(
                "linear_f32", kernels.tiles(product.m(), "linear_row_tile"),
                kernels.tiles(product.n(), "linear_column_tile"), device.constant("linear_threads"),
                product.destination(), product.a(), product.b(), java.util.Optional.empty(), product.m(), product.k(), product.n()));
    }
}
