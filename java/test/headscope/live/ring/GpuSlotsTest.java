package headscope.live.ring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.result.tapped.TappedAttention;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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

/** Rings whose queries and keys lie in memory that a reader offers, with memory of the host in place of a GPU's. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class GpuSlotsTest {
    private static final byte[] HANDLE = "h".repeat(64).getBytes();
    private static final byte[] UUID = "u".repeat(16).getBytes();

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("headscope-test.ring");
    }

    /** @param meanwhile runs while a slot is read */
    private record Memory(MemorySegment bytes, Runnable meanwhile) implements GpuSlots {
        Memory() {
            this(MemorySegment.ofArray(new byte[HandmadeRing.SLOTS * HandmadeRing.SLOT_BYTES]), () -> {});
        }

        void write(int slot, float value) {
            for (int i = 0; i < 12; i++) {
                bytes.set(ValueLayout.JAVA_FLOAT_UNALIGNED, slot * HandmadeRing.SLOT_BYTES + i * Float.BYTES, value);
            }
        }

        @Override
        public byte[] handle() {
            return HANDLE;
        }

        @Override
        public byte[] uuid() {
            return UUID;
        }

        @Override
        public MemorySegment read(long offset, long count) {
            meanwhile.run();
            return MemorySegment.ofArray(bytes.asSlice(offset, count).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void queriesAndKeysAreReadFromTheMemoryThatWasOffered() {
        Memory memory = new Memory();
        try (HandmadeRing ring = HandmadeRing.create(file, 1, 2); RingReader reader = RingReader.open(file)) {
            assertEquals(memory.bytes.byteSize(), reader.gpuBytes());
            reader.receive(memory);
            assertArrayEquals(UUID, ring.bytes(280, 16));
            assertArrayEquals(HANDLE, ring.bytes(304, 64));
            assertEquals(reader.gpuBytes(), ring.word(296));
            long offer = ring.word(256);
            assertTrue(offer != 0);
            ring.word(264, offer);
            ring.publish(HandmadeRing.attentionOnGpu(0, ring.word(256)));
            memory.write(0, 7);
            memory.write(1, 8);
            ring.publish(HandmadeRing.attentionOnGpu(1, ring.word(256)));
            for (float value : new float[] {7, 8}) {
                TappedAttention read = (TappedAttention) reader.poll().orElseThrow();
                assertTrue(read.onGpu());
                float[] query = new float[8];
                Arrays.fill(query, value);
                assertArrayEquals(query, read.query().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
                assertArrayEquals(Arrays.copyOf(query, 4), read.key().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
            }
            ring.word(264, 0);
            assertTrue(reader.withdraw());
            assertEquals(0, ring.word(256));
        }
    }

    @Test
    void aSlotThatChangesWhileItIsReadIsTorn() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1, 2); RingReader reader = RingReader.open(file)) {
            reader.receive(new Memory(new Memory().bytes, () -> ring.word(4096 + 8, 0)));
            ring.publish(HandmadeRing.attentionOnGpu(0, ring.word(256)));
            assertEquals(Optional.empty(), reader.poll());
            assertEquals(1, reader.refused().get(Refusal.TORN));
        }
    }

    static Stream<Arguments> lies() {
        return Stream.of(
                Arguments.of("more than a slot holds", (Consumer<ByteBuffer>) slot -> slot.putInt(36, 11).putInt(40, 11)),
                Arguments.of("4 billion tokens", (Consumer<ByteBuffer>) slot -> slot.putInt(36, -1)),
                Arguments.of("sinks that are not there", (Consumer<ByteBuffer>) slot -> slot.put(5, (byte) 7)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void lyingHeadersAreRefused(String what, Consumer<ByteBuffer> lie) {
        try (HandmadeRing ring = HandmadeRing.create(file, 1, 2); RingReader reader = RingReader.open(file)) {
            reader.receive(new Memory());
            ByteBuffer slot = HandmadeRing.attentionOnGpu(0, ring.word(256));
            lie.accept(slot);
            ring.publish(slot);
            assertEquals(Optional.empty(), reader.poll(), what);
            assertEquals(1, reader.refused().get(Refusal.CONTRADICTORY), what);
        }
    }

    private String fault(Runnable work) {
        return assertThrows(RingException.class, work::run).getMessage().replace(file.toString(), "FILE");
    }

    @Test
    void aProducerMayRefuse() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1, 2); RingReader reader = RingReader.open(file)) {
            reader.receive(new Memory());
            ring.publish(HandmadeRing.attention(0).put(2, (byte) 2));
            ring.text(368, "the model's tensors are not on a GPU");
            ring.word(272, ring.word(256));
            assertFalse(((TappedAttention) reader.poll().orElseThrow()).onGpu(), "what came before");
            assertEquals("FILE: --same-gpu is refused: the model's tensors are not on a GPU; leave it out", fault(reader::poll));
        }
    }

    @Test
    void anOlderProducerKnowsNoSuchMemory() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1); RingReader reader = RingReader.open(file)) {
            assertEquals("FILE: the feeding process uses an older headscope_tap.py without support for --same-gpu: use that of this release",
                    fault(() -> reader.receive(new Memory())));
            ring.publish(HandmadeRing.attention(0));
            assertTrue(reader.poll().isPresent(), "without it, the ring is read");
        }
    }

    @Test
    void otherReadersAreToldThatOneReceives() {
        String taken = "FILE: another Headscope process already uses --same-gpu with this model: end it first";
        try (HandmadeRing ring = HandmadeRing.create(file, 1, 2); RingReader first = RingReader.open(file);
                RingReader other = RingReader.open(file)) {
            first.receive(new Memory());
            assertEquals(taken, fault(() -> other.receive(new Memory())));
            ring.word(264, ring.word(256));
            ring.publish(HandmadeRing.attentionOnGpu(0, ring.word(256)));
            assertEquals(taken, fault(other::poll));
            assertEquals(List.of(0), first.poll().stream().map(message -> message.first()).toList());
        }
    }

    /** A reader that has ended leaves messages in the ring whose queries and keys are gone. */
    @Test
    void messagesOfAnEarlierOfferAreRefused() {
        try (HandmadeRing ring = HandmadeRing.create(file, 1, 2); RingReader reader = RingReader.open(file);
                RingReader other = RingReader.open(file)) {
            ring.publish(HandmadeRing.attentionOnGpu(0, 5));
            reader.receive(new Memory());
            ring.publish(HandmadeRing.attentionOnGpu(1, ring.word(256)));
            assertEquals(List.of(1), reader.poll().stream().map(message -> message.first()).toList());
            assertEquals(1, reader.refused().get(Refusal.OVERWRITTEN));
            assertEquals(Optional.empty(), other.poll());
            assertEquals(2, other.refused().get(Refusal.OVERWRITTEN));
        }
    }

    @Test
    void aRestartedProducerReceivesTheOfferAgain() throws InterruptedException {
        try (HandmadeRing before = HandmadeRing.create(file, 1, 2); RingReader reader = RingReader.open(file)) {
            Memory memory = new Memory();
            reader.receive(memory);
            before.word(264, before.word(256));
            try (HandmadeRing after = HandmadeRing.create(file, 2, 2)) {
                while (after.word(256) == 0) {
                    assertEquals(Optional.empty(), reader.poll());
                    Thread.sleep(5);
                }
                assertArrayEquals(HANDLE, after.bytes(304, 64));
                memory.write(0, 3);
                after.publish(HandmadeRing.attentionOnGpu(0, after.word(256)));
                assertTrue(((TappedAttention) reader.poll().orElseThrow()).onGpu());
            }
        }
    }

    /** Of as many bytes in all, but in larger slots: a piece that is copied would exceed its memory. */
    @Test
    void aRestartedProducerWithLargerSlotsIsRejected() {
        try (HandmadeRing before = HandmadeRing.create(file, 1, 2); RingReader reader = RingReader.open(file)) {
            reader.receive(new Memory());
            before.word(264, before.word(256));
            try (HandmadeRing after = HandmadeRing.create(file, 2, 2, header -> header
                    .putInt(16, HandmadeRing.SLOTS / 2).putInt(20, 2 * HandmadeRing.SLOT_BYTES))) {
                assertEquals("FILE: the new process has a larger ring: start this program again", fault(() -> {
                    while (after.word(256) == 0) {
                        reader.poll();
                    }
                }));
            }
        }
    }
}
