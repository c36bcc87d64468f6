package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.backend.Recording;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What a recording keeps and what it refuses, on any device. */
final class RecordingChecks {
    private RecordingChecks() {}

    static void run(Device device) {
        MemorySegment x = device.allocate(Float.BYTES);
        device.upload(x, floats(3));
        List<Object> arguments = new ArrayList<>(List.of(x, 2f, 1L));
        Launch doubling = new Launch("scale_f32", 1, 1, 1, 32, 0, arguments);
        try (Recording recording = device.record(() -> {
            device.launch(doubling);
            MemorySegment temporary = device.allocate(Float.BYTES);
            device.launch(Launch.flat("add_f32", 1, 1, 32, temporary, x, 1L));
            device.launch(Launch.flat("add_f32", 1, 1, 32, x, temporary, 1L));
            device.free(temporary);
        })) {
            assertEquals(3, value(device, x), "nothing runs while it is recorded");
            arguments.set(1, 100f);
            recording.launch();
            assertEquals(12, value(device, x));
            device.upload(x, floats(5));
            recording.launch();
            recording.launch();
            assertEquals(80, value(device, x), "temporary memory is cleared each time");
            device.send(x);
            device.launch(doubling);
            recording.launch();
            float[] sent = new float[1];
            device.receive(MemorySegment.ofArray(sent));
            assertEquals(80, sent[0], "what is sent does not change");
            device.upload(x, floats(80));
        }
        assertThrows(IllegalStateException.class, () -> device.record(() -> device.upload(x, floats(1))));
        assertThrows(IllegalStateException.class, () -> device.record(() -> value(device, x)));
        assertThrows(IllegalStateException.class, () -> device.record(() -> device.send(x)));
        assertThrows(IllegalStateException.class, () -> device.record(() -> device.free(x)));
        assertArrayEquals(new float[] {80}, new float[] {value(device, x)}, "nothing was recorded or freed");
        device.free(x);
    }

    private static MemorySegment floats(float value) {
        return MemorySegment.ofArray(new float[] {value});
    }

    private static float value(Device device, MemorySegment x) {
        float[] value = new float[1];
        device.download(MemorySegment.ofArray(value), x);
        return value[0];
    }
}
