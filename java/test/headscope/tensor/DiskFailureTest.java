package headscope.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiskFailureTest {
    private static final Map<Integer, String> GERMAN = Map.of(
            28, "Auf dem Gerät ist kein Speicherplatz mehr verfügbar", 122, "Plattenkontingent überschritten",
            27, "Datei zu groß", 13, "Keine Berechtigung");

    /** ENOSPC, EDQUOT, EFBIG; EACCES, EIO, EROFS. */
    @ParameterizedTest
    @CsvSource({"28, true", "122, true", "27, true", "13, false", "5, false", "30, false"})
    void noRoomIsRecognisedByTheSystemsMessage(int number, boolean noRoom) {
        String message = SystemMessage.of(number).orElseThrow();
        assertFalse(message.isBlank());
        IOException failure = new FileSystemException("/x", null, message);
        assertEquals(noRoom, DiskFailure.noRoom(failure));
        assertEquals(noRoom, DiskFailure.noRoom(new UncheckedIOException(new IOException("/x: " + message, failure))));
        assertFalse(DiskFailure.noRoom(new IllegalStateException(message)));
    }

    @ParameterizedTest
    @CsvSource({"28, true", "122, true", "27, true", "13, false"})
    void noRoomIsRecognisedInEveryLanguage(int number, boolean noRoom) {
        IOException failure = new IOException(GERMAN.get(number));
        assertEquals(noRoom, DiskFailure.noRoom(failure, other -> Optional.ofNullable(GERMAN.get(other))));
        assertFalse(DiskFailure.noRoom(failure, other -> Optional.empty()));
    }

    /** What the JDK makes of the system's message. */
    @Test
    void noRoomOnADevice() {
        IOException failure = assertThrows(IOException.class, () -> Files.writeString(Path.of("/dev/full"), "x"));
        assertTrue(DiskFailure.noRoom(failure));
    }
}
