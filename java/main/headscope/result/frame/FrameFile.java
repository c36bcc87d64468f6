package headscope.result.frame;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * The layout of a recording, a file of frames to which records are only ever appended. Numbers are big-endian.
 *
 * <pre>
 * file:   magic (8 bytes), version (int32), records
 * record: length (int32), CRC-32C of the content, CRC-32C of the 8 bytes before (int32 each), content (length bytes)
 * </pre>
 *
 * <p>The first record is the {@link FrameSource} as JSON, every further one a {@link RecordedFrame}. The length has a
 * checksum of its own, so that a damaged length is not taken for a record that is still being written.
 */
final class FrameFile {
    static final byte[] MAGIC = "HSFRAMES".getBytes(StandardCharsets.US_ASCII);
    static final int VERSION = 1;

    /** Bytes before the first record. */
    static final int START = MAGIC.length + Integer.BYTES;

    /** Bytes before the content of a record. */
    static final int RECORD_HEAD = 3 * Integer.BYTES;

    private FrameFile() {}

    static ByteBuffer start() {
        return ByteBuffer.allocate(START).put(MAGIC).putInt(VERSION).flip();
    }

    static ByteBuffer record(byte[] content) {
        ByteBuffer record = ByteBuffer.allocate(RECORD_HEAD + content.length);
        record.putInt(content.length).putInt(checksum(content, content.length));
        record.putInt(checksum(record.array(), 2 * Integer.BYTES));
        return record.put(content).flip();
    }

    static int checksum(byte[] bytes, int count) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, 0, count);
        return (int) sum.getValue();
    }
}
