package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * A tensor divided into boxes, as an argument of kernels that copy whole boxes (TensorMap of cuda/hopper.cuh).
 *
 * @param extents  of the axes, the contiguous one first
 * @param box      elements of a copy along each axis
 * @param swizzled whether copies arrange rows of 128 bytes in the order in which tensor cores read them
 */
record TensorMap(Tensor tensor, long[] extents, int[] box, boolean swizzled) {
    /** Bytes of an encoded map, and the alignment that it needs. */
    static final int BYTES = 128;
    static final int ALIGNMENT = 64;

    /** Columns of a box of a head's rows: 128 bytes of 16-bit numbers. */
    private static final int COLUMNS = 64;

    /** Encodes maps for a device. */
    interface Encoder {
        /**
         * @param to     {@link #BYTES} bytes
         * @param arrays allocates arguments of the call
         * @throws headscope.backend.DeviceException if the device cannot copy such boxes
         */
        void encode(MemorySegment to, TensorMap map, SegmentAllocator arrays);
    }

    /** Boxes of 64 columns of one head by {@code rows} rows of x [tokens, heads * headDim]. */
    static TensorMap ofHeads(Tensor x, int heads, int rows) {
        return new TensorMap(x, new long[] {x.size(1) / heads, heads, x.size(0)}, new int[] {COLUMNS, 1, rows}, true);
    }

    /** Boxes of {@code elements} consecutive elements. */
    static TensorMap ofElements(Tensor x, int elements) {
        return new TensorMap(x, new long[] {x.count()}, new int[] {elements}, false);
    }

    int axes() {
        return extents.length;
    }

    MemorySegment extents(SegmentAllocator arrays) {
        return arrays.allocateFrom(JAVA_LONG, extents);
    }

    /** Bytes from an element to the next along each axis but the first. */
    MemorySegment strides(SegmentAllocator arrays) {
        long[] strides = new long[axes() - 1];
        long bytes = tensor.dtype().bytes;
        for (int axis = 0; axis < strides.length; axis++) {
            bytes *= extents[axis];
            strides[axis] = bytes;
        }
        return arrays.allocateFrom(JAVA_LONG, strides);
    }

    MemorySegment box(SegmentAllocator arrays) {
        return arrays.allocateFrom(JAVA_INT, box);
    }
}
