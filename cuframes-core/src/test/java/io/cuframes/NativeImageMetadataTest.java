// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What GraalVM's native-image has to know of this jar: classes whose members are found by their names, and files that are read from it. */
class NativeImageMetadataTest {
    private static final String FILE = "META-INF/native-image/io.cuframes/cuframes-core/reachability-metadata.json";
    private static final Path EVENTS = Path.of("src/main/java/io/cuframes/internal/events");
    private static final Path RESOURCES = Path.of("src/main/resources");

    private static JsonObject metadata() throws IOException {
        URL file = NativeImageMetadataTest.class.getClassLoader().getResource(FILE);
        assertNotNull(file, FILE + " is not in the jar");
        try (var in = file.openStream()) {
            return JsonParser.parseString(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .getAsJsonObject();
        }
    }

    @Test
    void everyEventOfFlightRecordingsIsNamed() throws IOException, ClassNotFoundException {
        Set<String> events = new TreeSet<>();
        try (Stream<Path> files = Files.list(EVENTS)) {
            for (Path file : files.toList()) {
                String name = "io.cuframes.internal.events."
                        + file.getFileName().toString().replace(".java", "");
                if (jdk.jfr.Event.class.isAssignableFrom(Class.forName(name))) {
                    events.add(name);
                }
            }
        }
        Set<String> named = new TreeSet<>();
        for (JsonElement entry : metadata().getAsJsonArray("reflection")) {
            named.add(entry.getAsJsonObject().get("type").getAsString());
            assertEquals(true, entry.getAsJsonObject().get("allDeclaredFields").getAsBoolean());
        }
        assertEquals(events, named);
    }

    @Test
    void everyResourceIsNamed() throws IOException {
        Set<String> resources;
        try (Stream<Path> files = Files.walk(RESOURCES)) {
            resources = files.filter(Files::isRegularFile)
                    .map(file -> RESOURCES.relativize(file).toString())
                    .filter(name -> !name.startsWith("META-INF/native-image/"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
        Set<String> named = new TreeSet<>();
        for (JsonElement entry : metadata().getAsJsonArray("resources")) {
            named.add(entry.getAsJsonObject().get("glob").getAsString());
        }
        assertEquals(resources, named);
    }
}
