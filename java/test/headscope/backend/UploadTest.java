package headscope.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.Seed;
import headscope.tensor.Conversion;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Uploads that convert, on every backend. */
class UploadTest {
    static final List<String> DEVICES = Devices.ALL;

    private static byte[] elements(DType type, int count) {
        Random random = Seed.random(type, count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        byte[] bytes = new byte[count * type.bytes];
        Conversion.copy(DType.F32, MemorySegment.ofArray(values), type, MemorySegment.ofArray(bytes));
        return bytes;
    }

    private static HostElements from(byte[] elements, DType type) {
        return (first, to) -> to.copyFrom(MemorySegment.ofArray(elements).asSlice(first * type.bytes, to.byteSize()));
    }

    /** Every type into every type: the same bits as the host's conversion. */
    @ParameterizedTest
    @FieldSource("DEVICES")
    void converts(String device) {
        List<DType> types = List.of(DType.F32, DType.F16, DType.BF16);
        for (DType type : types) {
            for (DType to : types) {
                for (int count : new int[] {1, 33, 70_001}) {
                    byte[] elements = elements(type, count);
                    byte[] expected = new byte[count * to.bytes];
                    Conversion.copy(type, MemorySegment.ofArray(elements), to, MemorySegment.ofArray(expected));
                    try (Backend backend = Devices.open(device)) {
                        Tensor tensor = backend.allocate(to, count);
                        backend.upload(tensor, type, from(elements, type));
                        byte[] found = new byte[expected.length];
                        backend.download(MemorySegment.ofArray(found), tensor);
                        assertArrayEquals(expected, found, type + " to " + to);
                        tensor.buffer().close();
                        assertEquals(0, backend.liveBytes());
                    }
                }
            }
        }
    }

    /** Several threads upload into different tensors at once. */
    @ParameterizedTest
    @FieldSource("DEVICES")
    void fromSeveralThreads(String device) throws InterruptedException {
        try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
            List<Tensor> tensors = new ArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                tensors.add(on.allocate(i % 2 == 0 ? DType.BF16 : DType.F32, 5000 + i));
            }
            for (int t = 0; t < 4; t++) {
                int thread = t;
                threads.add(Thread.ofPlatform().start(() -> {
                    for (int i = thread; i < tensors.size(); i += 4) {
                        backend.upload(tensors.get(i), DType.BF16, from(elements(DType.BF16, 5000 + i), DType.BF16));
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            for (int i = 0; i < tensors.size(); i++) {
                DType to = tensors.get(i).dtype();
                byte[] expected = new byte[(5000 + i) * to.bytes];
                Conversion.copy(DType.BF16, MemorySegment.ofArray(elements(DType.BF16, 5000 + i)), to, MemorySegment.ofArray(expected));
                byte[] found = new byte[expected.length];
                backend.download(MemorySegment.ofArray(found), tensors.get(i));
                assertArrayEquals(expected, found, "tensor " + i);
            }
        }
    }

    /** Nothing is leaked, and the device can still be used. */
    @ParameterizedTest
    @FieldSource("DEVICES")
    void sourcesMayFail(String device) {
        try (Backend backend = Devices.open(device)) {
            Tensor tensor = backend.allocate(DType.F32, 3);
            for (int i = 0; i < 10; i++) {
                assertThrows(IllegalStateException.class, () -> backend.upload(tensor, DType.BF16, (first, to) -> {
                    throw new IllegalStateException();
                }));
            }
            backend.upload(tensor, DType.F32, from(elements(DType.F32, 3), DType.F32));
            tensor.buffer().close();
            assertEquals(0, backend.liveBytes());
        }
    }
}
