// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Transport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a cuframes URL says, and that whatever is wrong with one is said. */
class CuframesUrlTest {
    private static final Set<String> WORDS = Set.of("mode", "timeout", "socketDir", "slots", "transport");

    private static CuframesUrl url(String text) {
        return new CuframesUrl(text, WORDS, Map.of());
    }

    @Test
    void wordsHaveValues() {
        CuframesUrl url =
                url("cuframes://cam_1.a-b?mode=strict&timeout=500ms&socketDir=/run/a%20b+c&slots=8&transport=Cuda_VMM");
        assertEquals("cam_1.a-b", url.key());
        assertEquals(1, url.choice("mode", 0, "newest", "strict"));
        assertEquals(Duration.ofMillis(500), url.duration("timeout", null));
        assertEquals(Path.of("/run/a b+c"), url.path("socketDir"));
        assertEquals(8, url.number("slots", 6));
        assertEquals(Transport.CUDA_VMM, url.constant("transport", Transport.class, Transport.AUTO));
    }

    @Test
    void whatIsNotSaidIsAsUsual() {
        CuframesUrl url = url("cuframes://cam1");
        assertEquals("cam1", url.key());
        assertFalse(url.says("mode"));
        assertEquals(6, url.number("slots", 6));
        assertNull(url.path("socketDir"));
        assertEquals(Transport.AUTO, url.constant("transport", Transport.class, Transport.AUTO));
    }

    @Test
    void optionsComeBeforeTheUrl() {
        CuframesUrl url =
                new CuframesUrl("cuframes://cam1?slots=8", WORDS, Map.of("slots", "4", "rtsp_transport", "tcp"));
        assertEquals(4, url.number("slots", 6));
        assertFalse(url.says("rtsp_transport"));
    }

    @ParameterizedTest
    @CsvSource({
        "rtsp://cam1, 'must be cuframes://KEY'",
        "cam1, 'must be cuframes://KEY'",
        "cuframes://, 'the key alone must follow'",
        "cuframes://host/cam1, 'the key alone must follow'",
        "cuframes://cam1?mod=strict, '\"mod\" is none of the words known here: mode, slots, socketDir, timeout, transport'",
        "cuframes://cam1?mode, '\"mode\" needs a value'",
        "cuframes://cam1?mode=, '\"mode\" needs a value'",
        "cuframes://cam1?, '\"\" is none of the words'",
        "cuframes://cam1?slots=1&slots=2, '\"slots\" is said twice'",
        "cuframes://cam1?socketDir=%zz, 'has a % that two hexadecimal digits do not follow'"
    })
    void aUrlThatIsWrongIsRefusedByName(String text, String says) {
        assertSays(text, says, assertThrows(CuframesException.class, () -> url(text)));
    }

    @ParameterizedTest
    @CsvSource({
        "mode=both, 'mode=both should be one of newest, strict'",
        "timeout=5, 'timeout=5 should be a time such as 500ms, 5s or 2m'",
        "timeout=0s, 'should be a time'",
        "slots=-1, 'should be a whole number'",
        "slots=99999999999, 'should be a whole number'",
        "transport=shm, 'one of auto, cuda_ipc, cuda_vmm, host'"
    })
    void aValueThatIsWrongIsRefusedByName(String pair, String says) {
        String text = "cuframes://cam1?" + pair;
        CuframesUrl url = url(text);
        assertSays(text, says, assertThrows(CuframesException.class, () -> {
            url.choice("mode", 0, "newest", "strict");
            url.duration("timeout", null);
            url.number("slots", 6);
            url.constant("transport", Transport.class, Transport.AUTO);
        }));
    }

    private static void assertSays(String text, String says, CuframesException error) {
        assertEquals(ErrorCode.INVALID_ARGUMENT, error.code());
        assertTrue(error.getMessage().contains(says), error.getMessage());
        assertTrue(error.getMessage().contains(text), error.getMessage());
    }
}
