package headscope.live.ring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.result.tapped.Tapped;
import headscope.result.tapped.TappedAttention;
import headscope.result.tapped.TappedTokens;
import headscope.tensor.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Reading of rings that were written by hand: right ones, and wrong ones of every kind. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class RingReaderTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("headscope-test.ring");
    }

    private static Map<Refusal, Long> refused(Refusal reason, long messages) {
        Map<Refusal, Long> counts = new EnumMap<>(Refusal.class);
        Arrays.stream(Refusal.values()).forEach(each -> counts.put(each, 0L));
        counts.put(reason, messages);
        return counts;
    }

    private static final Map<Refusal, Long> NONE = refused(Refusal.TORN, 0);

    private static List<Integer> positions(RingReader reader) {
        List<Integer> positions = new ArrayList<>();
        for (Optional<Tapped> message = reader.poll(); message.isPresent(); message = reader.poll()) {
            positions.add(message.get().first());
        }
        return positions;
    }

    private static float[] floats(MemorySegment values) {
        return values.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    @Test
    void everyFieldOfAnAttentionMessageIsRead() {
        try (HandmadeRing ring = HandmadeRing.create(file, 123); RingReader reader = RingReader.open(file)) {
            assertEquals(Optional.empty(), reader.poll());
            ring.publish(HandmadeRing.attention(3));
            TappedAttention read = (TappedAttention) reader.poll().orElseThrow();
            assertEquals(
                    List.of(9, 1, 3, 1, 4, 2, 1, 4, 0.5f, true, 0, 0f, DType.F32, 5L),
                    List.of(read.text(), read.layer(), read.first(), read.count(), read.end(), read.heads(),
                            read.kvHeads(), read.headDim(), read.scale(), read.causal(), read.window(), read.softCap(),
                            read.dtype(), read.nanos()));
            assertArrayEquals(new float[] {3, 3, 3, 3, 3, 3, 3, 3}, floats(read.query()));
            assertArrayEquals(new float[] {3, 3, 3, 3}, floats(read.key()));
            assertEquals(0, read.sinks().length);
            assertEquals(Optional.empty(), reader.poll());
            assertEquals(123, reader.generation());
            assertEquals(HandmadeRing.LAYERS, reader.layers());
            assertEquals(NONE, reader.refused());
            assertEquals(1, ring.word(128), "what has been read");
        }
    }

    @Test
    void sinksFollowTheKeys() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1); RingReader reader = RingReader.open(file)) {
            ByteBuffer plain = HandmadeRing.attention(0);
            ByteBuffer slot = ByteBuffer.allocate(plain.capacity() + 8).order(ByteOrder.LITTLE_ENDIAN).put(plain.array());
            slot.putFloat(-1.5f).putFloat(2).put(5, (byte) 3).putInt(24, slot.capacity() - 64);
            ring.publish(slot);
            TappedAttention read = (TappedAttention) reader.poll().orElseThrow();
            assertArrayEquals(new float[] {-1.5f, 2}, read.sinks());
            assertArrayEquals(new float[4], floats(read.key()));
        }
    }

    @Test
    void layersThatAttendAlikeShareAMessage() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1, 3); RingReader reader = RingReader.open(file)) {
            ring.publish(HandmadeRing.layers(7, 2));
            ring.publish(HandmadeRing.layers(8, 1));
            List<TappedAttention> read = new ArrayList<>();
            for (Optional<Tapped> next = reader.poll(); next.isPresent(); next = reader.poll()) {
                read.add((TappedAttention) next.get());
            }
            assertEquals(List.of(0, 1, 0), read.stream().map(TappedAttention::layer).toList());
            assertEquals(List.of(7, 7, 8), read.stream().map(TappedAttention::first).toList());
            assertArrayEquals(new float[] {8, 8, 8, 8, 8, 8, 8, 8}, floats(read.get(1).query()));
            assertArrayEquals(new float[] {8, 8, 8, 8}, floats(read.get(1).key()));
            assertArrayEquals(new float[] {7, 7, 7, 7}, floats(read.get(0).key()));
            assertEquals(NONE, reader.refused());
        }
    }

    static Stream<Arguments> wrongLayers() {
        return Stream.of(
                Arguments.of("more layers than the model has", HandmadeRing.layers(2, 3)),
                Arguments.of("layers beyond the model's last", HandmadeRing.layers(2, 2).putShort(6, (short) 1)),
                Arguments.of("half a layer", HandmadeRing.layers(2, 2).putInt(36, 3).putInt(40, 9)),
                Arguments.of("more tokens than bytes", HandmadeRing.layers(2, 2).putInt(36, 5).putInt(40, 9)),
                Arguments.of("4 billion tokens", HandmadeRing.layers(2, 2).putInt(36, -1)),
                Arguments.of("no layer", ByteBuffer.wrap(HandmadeRing.layers(2, 2).array(), 0, 64).slice()
                        .order(ByteOrder.LITTLE_ENDIAN).putInt(24, 0)),
                Arguments.of("sinks", HandmadeRing.layers(2, 2).put(5, (byte) 3)),
                Arguments.of("memory of a GPU", HandmadeRing.layers(2, 2).put(5, (byte) 5)),
                Arguments.of("an infinite scale", HandmadeRing.layers(2, 2).putFloat(48, Float.NEGATIVE_INFINITY)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("wrongLayers")
    void wrongMessagesOfSeveralLayersAreRefused(String what, ByteBuffer wrong) {
        try (HandmadeRing ring = HandmadeRing.create(file, 1, 3); RingReader reader = RingReader.open(file)) {
            ByteBuffer copy = ByteBuffer.allocate(wrong.capacity()).order(ByteOrder.LITTLE_ENDIAN).put(wrong.duplicate().rewind());
            ring.publish(copy);
            ring.publish(HandmadeRing.layers(3, 1));
            assertEquals(List.of(3), positions(reader), what);
            assertEquals(refused(Refusal.CONTRADICTORY, 1), reader.refused(), what);
        }
    }

    @Test
    void olderRingsHaveNoMessagesOfSeveralLayers() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1, 2); RingReader reader = RingReader.open(file)) {
            ring.publish(HandmadeRing.layers(7, 2).put(2, (byte) 2));
            assertEquals(Optional.empty(), reader.poll());
            assertEquals(refused(Refusal.CONTRADICTORY, 1), reader.refused());
        }
    }

    private static ByteBuffer tokens(int count, String names) {
        byte[] text = names.getBytes(StandardCharsets.UTF_8);
        ByteBuffer slot = ByteBuffer.allocate(64 + 4 * count + text.length).order(ByteOrder.LITTLE_ENDIAN);
        slot.put(HandmadeRing.attention(7).array(), 0, 64).put(3, (byte) 2).putInt(24, slot.capacity() - 64);
        slot.putInt(36, count).putInt(40, 7 + count);
        for (int i = 0; i < count; i++) {
            slot.putInt(100 + i);
        }
        return slot.put(text);
    }

    @Test
    void tokensHaveIdsAndNames() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1); RingReader reader = RingReader.open(file)) {
            ring.publish(tokens(3, "größer\0\0 x\0"));
            ring.publish(tokens(3, "a\0b\0"));
            ring.publish(tokens(1, "a\0b"));
            TappedTokens read = (TappedTokens) reader.poll().orElseThrow();
            assertArrayEquals(new int[] {100, 101, 102}, read.ids());
            assertEquals(List.of("größer", "", " x"), read.names());
            assertEquals(List.of(7, 3, 10, 9), List.of(read.first(), read.count(), read.end(), read.text()));
            assertEquals(Optional.empty(), reader.poll());
            assertEquals(refused(Refusal.CONTRADICTORY, 2), reader.refused());
        }
    }

    private static Arguments wrong(Refusal reason, String what, Consumer<ByteBuffer> before, Consumer<ByteBuffer> after) {
        return Arguments.of(reason, what, before, after);
    }

    private static Arguments lie(String what, Consumer<ByteBuffer> change) {
        return wrong(Refusal.CONTRADICTORY, what, change, sealed -> {});
    }

    static Stream<Arguments> wrongMessages() {
        Consumer<ByteBuffer> same = slot -> {};
        return Stream.of(
                wrong(Refusal.OVERWRITTEN, "half written", same, slot -> slot.putLong(8, 0)),
                wrong(Refusal.OVERWRITTEN, "of a later round", same, slot -> slot.putLong(8, 2 + HandmadeRing.SLOTS)),
                wrong(Refusal.STALE, "of an earlier round", same, slot -> slot.putLong(8, 1)),
                wrong(Refusal.VERSION, "another magic number", slot -> slot.put(0, (byte) 'X'), same),
                wrong(Refusal.VERSION, "another version", slot -> slot.put(2, (byte) 2), same),
                wrong(Refusal.CHECKSUM, "a changed payload", same, slot -> slot.putFloat(70, 1)),
                wrong(Refusal.CHECKSUM, "a changed header", same, slot -> slot.putInt(32, 1)),
                wrong(Refusal.CHECKSUM, "another checksum", same, slot -> slot.putInt(28, 0)),
                lie("longer than a slot", slot -> slot.putInt(24, HandmadeRing.SLOT_BYTES)),
                lie("4 GiB", slot -> slot.putInt(24, -1)),
                lie("more tokens than bytes", slot -> slot.putInt(36, 3).putInt(40, 9)),
                lie("no tokens", slot -> slot.putInt(36, 0)),
                lie("4 billion tokens", slot -> slot.putInt(36, -1)),
                lie("beyond the end", slot -> slot.putInt(40, 2)),
                lie("a position beyond 31 bits", slot -> slot.putInt(32, -2).putInt(40, -1)),
                lie("more heads than bytes", slot -> slot.putShort(56, (short) 0xffff)),
                lie("no heads", slot -> slot.putShort(56, (short) 0)),
                lie("no key heads", slot -> slot.putShort(58, (short) 0)),
                lie("heads that are no multiple of key heads", slot -> slot.putShort(56, (short) 1).putShort(58, (short) 2)),
                lie("no width", slot -> slot.putShort(60, (short) 0)),
                lie("another width", slot -> slot.putShort(60, (short) 5)),
                lie("a layer that does not exist", slot -> slot.putShort(6, (short) HandmadeRing.LAYERS)),
                lie("another kind", slot -> slot.put(3, (byte) 9)),
                lie("another element type", slot -> slot.put(4, (byte) 4)),
                lie("16-bit elements of twice as many bytes", slot -> slot.put(4, (byte) 2)),
                lie("unknown flags", slot -> slot.put(5, (byte) 0x81)),
                lie("sinks that do not follow", slot -> slot.put(5, (byte) 3)),
                lie("an infinite scale", slot -> slot.putFloat(48, Float.POSITIVE_INFINITY)),
                lie("a negative soft cap", slot -> slot.putFloat(52, -1)),
                lie("a window without causality", slot -> slot.put(5, (byte) 0).putInt(44, 3)));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("wrongMessages")
    void wrongMessagesAreRefusedAndCounted(
            Refusal reason, String what, Consumer<ByteBuffer> before, Consumer<ByteBuffer> after) {
        try (HandmadeRing ring = HandmadeRing.create(file, 1); RingReader reader = RingReader.open(file)) {
            ring.publish(HandmadeRing.attention(1));
            ByteBuffer wrong = HandmadeRing.attention(2);
            before.accept(wrong);
            ring.publish(wrong, after);
            ring.publish(HandmadeRing.attention(3));
            assertEquals(List.of(1, 3), positions(reader), what);
            assertEquals(refused(reason, 1), reader.refused(), what);
        }
    }

    @Test
    void aSlowReaderLosesTheOldestMessagesAndCountsThem() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1); RingReader slow = RingReader.open(file)) {
            ring.publish(HandmadeRing.attention(0));
            assertEquals(List.of(0), positions(slow));
            for (int i = 1; i <= 10; i++) {
                ring.publish(HandmadeRing.attention(i));
            }
            assertEquals(List.of(7, 8, 9, 10), positions(slow));
            assertEquals(refused(Refusal.OVERWRITTEN, 6), slow.refused());
            try (RingReader late = RingReader.open(file)) {
                assertEquals(List.of(7, 8, 9, 10), positions(late), "a late reader begins with what is still there");
                assertEquals(NONE, late.refused());
            }
        }
    }

    @Test
    void readersDoNotDisturbEachOther() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1);
                RingReader one = RingReader.open(file); RingReader other = RingReader.open(file)) {
            ring.publish(HandmadeRing.attention(0));
            ring.publish(HandmadeRing.attention(1));
            assertEquals(List.of(0, 1), positions(one));
            ring.publish(HandmadeRing.attention(2));
            assertEquals(List.of(0, 1, 2), positions(other));
            assertEquals(List.of(2), positions(one));
            ring.word(72, 5);
            assertEquals(5, one.skipped());
        }
    }

    /** A producer at full speed: each message is read whole or counted. */
    @Test
    void everyMessageIsReadWholeOrCounted() throws InterruptedException {
        int messages = 200_000;
        try (HandmadeRing ring = HandmadeRing.create(file, 1); RingReader reader = RingReader.open(file)) {
            Thread producer = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < messages; i++) {
                    ring.publish(HandmadeRing.attention(i));
                }
            });
            int read = 0;
            int last = -1;
            while (last < messages - 1) {
                Optional<Tapped> message = reader.poll();
                if (message.isPresent()) {
                    TappedAttention attention = (TappedAttention) message.get();
                    assertTrue(attention.first() > last, "messages come in order");
                    last = attention.first();
                    read++;
                    float[] key = new float[4];
                    Arrays.fill(key, last);
                    assertArrayEquals(key, floats(attention.key()));
                }
            }
            producer.join();
            long lost = reader.refused().values().stream().mapToLong(Long::longValue).sum();
            assertEquals(messages, read + lost);
            assertEquals(0, reader.refused().get(Refusal.CONTRADICTORY) + reader.refused().get(Refusal.STALE));
        }
    }

    @Test
    void aRestartedProducerIsFollowed() throws InterruptedException {
        try (HandmadeRing first = HandmadeRing.create(file, 11); RingReader reader = RingReader.open(file)) {
            first.publish(HandmadeRing.attention(0));
            first.publish(HandmadeRing.attention(1));
            assertFalse(reader.hasProducer(), "nobody holds the lock");
            try (HandmadeRing second = HandmadeRing.create(file, 22)) {
                second.publish(HandmadeRing.attention(5));
                assertEquals(0, reader.poll().orElseThrow().first());
                assertEquals(1, reader.poll().orElseThrow().first(), "what the first one has left is read");
                Optional<Tapped> next = reader.poll();
                while (next.isEmpty()) {
                    Thread.sleep(5);
                    next = reader.poll();
                }
                assertEquals(5, next.get().first());
                assertEquals(22, reader.generation());
                assertEquals(1, reader.restarts());
            }
        }
    }

    private String fault(byte[] ring) throws IOException {
        Files.write(file, ring);
        return assertThrows(RingException.class, () -> RingReader.open(file)).getMessage().replace(file.toString(), "FILE");
    }

    @Test
    void ringsThatCannotBeReadAreRejectedInOneLine() throws IOException {
        assertEquals("FILE: is not a ring: it has only 0 bytes", fault(new byte[0]));
        assertEquals("FILE: is not a ring", fault(new byte[5000]));
        assertEquals("FILE: contains version 4 of the ring, but this program reads versions 1 to 3; use the headscope_tap.py of this release",
                fault(HandmadeRing.header(bytes -> bytes.putInt(4, 4))));
        assertEquals("FILE: contradicts itself: 5 slots of 512 bytes, 2 layers, in 6144 bytes",
                fault(HandmadeRing.header(bytes -> bytes.putInt(16, 5))));
        assertEquals("FILE: contradicts itself: 4294967295 slots of 512 bytes, 2 layers, in 6144 bytes",
                fault(HandmadeRing.header(bytes -> bytes.putInt(16, -1))));
        assertEquals("FILE: contradicts itself: 4 slots of -512 bytes, 2 layers, in 6144 bytes",
                fault(HandmadeRing.header(bytes -> bytes.putInt(20, -512))));
        assertEquals("FILE: contradicts itself: 4 slots of 512 bytes, 0 layers, in 6144 bytes",
                fault(HandmadeRing.header(bytes -> bytes.putInt(24, 0))));
        Files.delete(file);
        assertEquals("/dev/shm/headscope-absent-12345.ring: does not exist; start the process that feeds it, or check the name",
                assertThrows(RingException.class, () -> RingReader.open("absent-12345")).getMessage());
        assertEquals("a ring's name has up to 64 letters, digits, dots, hyphens and underscores",
                assertThrows(RingException.class, () -> RingReader.open("../x")).getMessage());
    }

    @Test
    void aTruncatedRingIsRejectedInOneLine() throws IOException {
        try (HandmadeRing ring = HandmadeRing.create(file, 1); RingReader reader = RingReader.open(file);
                FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ring.publish(HandmadeRing.attention(0));
            channel.truncate(0);
            assertEquals(file + ": was truncated; start the feeding process again",
                    assertThrows(RingException.class, reader::poll).getMessage());
        }
    }
}
