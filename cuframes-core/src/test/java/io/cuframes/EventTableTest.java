// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of events in docs/java-api.md has each event of the flight recorder, and no other. */
class EventTableTest {
    private static final Path EVENTS = Path.of("src/main/java/io/cuframes/internal/events");
    private static final Pattern NAME = Pattern.compile("^@Name\\(\"(cuframes\\.\\w+)\"\\)", Pattern.MULTILINE);
    private static final Pattern ROW =
            Pattern.compile("^\\| `(cuframes\\.\\w+)` \\| \\w+ \\| .+ \\|$", Pattern.MULTILINE);

    @Test
    void everyEventIsDocumented() throws IOException {
        Set<String> named = new TreeSet<>();
        try (Stream<Path> files = Files.list(EVENTS)) {
            for (Path file : files.toList()) {
                named.addAll(all(NAME, Files.readString(file)));
            }
        }
        assertTrue(named.contains("cuframes.Drop"), named::toString);
        assertEquals(named, all(ROW, Files.readString(Path.of("../docs/java-api.md"))));
    }

    private static Set<String> all(Pattern pattern, String text) {
        Set<String> found = new TreeSet<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            found.add(matcher.group(1));
        }
        return found;
    }
}
