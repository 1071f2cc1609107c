// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.ffm.Libc;
import io.cuframes.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The order in which the places for sockets are chosen (docs/protocol.md, section 2). */
class SocketDirectoryTest {
    private static final Map<String, String> ENVIRONMENT =
            Map.of(SocketDirectory.VARIABLE, "/variable", "XDG_RUNTIME_DIR", "/run/user/7");

    @Test
    void theCallersChoiceBeatsThePropertyAndThatTheVariable() {
        assertEquals(
                List.of(Path.of("/option")), SocketDirectory.candidates(Path.of("/option"), "/property", ENVIRONMENT));
        assertEquals(List.of(Path.of("/property")), SocketDirectory.candidates(null, "/property", ENVIRONMENT));
        assertEquals(List.of(Path.of("/variable")), SocketDirectory.candidates(null, "", ENVIRONMENT));
    }

    @Test
    void aUsualPlaceThatSomebodyElseMadeMeanwhileIsNotLookedAt(@TempDir Path directory) throws IOException {
        Needs.root("give a directory away");
        Path later = directory.resolve("later");
        Path own = Files.createDirectory(directory.resolve("own"));
        assertEquals(List.of(later, own), SocketDirectory.forSubscriber(List.of(later, own)));
        Files.setAttribute(Files.createDirectory(later), "unix:uid", 12345);
        assertEquals(List.of(own), SocketDirectory.forSubscriber(List.of(later, own)));
        assertEquals(
                List.of(later), SocketDirectory.forSubscriber(List.of(later)), "a place that was chosen is trusted");
    }

    @Test
    void withoutAChoiceTheUsualPlacesAreTriedInOrder() {
        Path last = Path.of("/tmp/cuframes-" + Libc.geteuid());
        assertEquals(
                List.of(Path.of("/run/cuframes"), Path.of("/run/user/7/cuframes"), last),
                SocketDirectory.candidates(null, null, Map.of("XDG_RUNTIME_DIR", "/run/user/7")));
        assertEquals(List.of(Path.of("/run/cuframes"), last), SocketDirectory.candidates(null, null, Map.of()));
    }
}
