// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Subscriber;
import io.cuframes.javacv.TestPatternWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code cuframes-rtsp-source} and {@code sub_count}: the commands under the names and with the options of libcuframes' tools. */
class ProgramNameTest {
    @TempDir
    Path directory;

    private Tool run(String... arguments) throws Exception {
        return Tool.start(
                directory,
                Stream.concat(Stream.of(arguments), Stream.of("--socket-dir", directory.toString()))
                        .toArray(String[]::new));
    }

    @Test
    void helpAndErrorsSayTheProgramsOwnName() throws Exception {
        try (Tool help = Tool.start(directory, "sub_count", "--help")) {
            assertEquals(0, help.await(), help.err());
            assertTrue(help.out().contains("Usage: sub_count "), help.out());
            assertTrue(help.out().contains("  sub_count --key cam1 --max-frames 1000"), help.out());
        }
        try (Tool help = Tool.start(directory, "cuframes-rtsp-source", "--help")) {
            assertEquals(0, help.await(), help.err());
            assertTrue(help.out().contains("Usage: cuframes-rtsp-source "), help.out());
            assertTrue(help.out().contains("  cuframes-rtsp-source --rtsp rtsp://"), help.out());
        }
        try (Tool help = Tool.start(directory, "sub-count", "--help")) {
            assertEquals(0, help.await(), help.err());
            assertTrue(help.out().contains("  cuframes sub-count --key cam1 --max-frames 1000"), help.out());
        }
        try (Tool wrong = run("sub_count", "--max-frames", "3")) {
            assertEquals(ExitStatus.USAGE, wrong.await());
            assertTrue(wrong.err().contains("See: sub_count --help"), wrong.err());
        }
    }

    @Test
    void aStreamGoesFromOneToTheOther() throws Exception {
        Path clip = directory.resolve("clip.mp4");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 192)
                .fps(25)
                .open()) {
            for (int i = 0; i < 50; i++) {
                writer.write();
            }
        }
        String key = "programs-" + ProcessHandle.current().pid();
        try (Tool source = run(
                        "cuframes-rtsp-source",
                        "--rtsp",
                        clip.toString(),
                        "--key",
                        key,
                        "--ring",
                        "4",
                        "--loop",
                        "--realtime",
                        "--transport",
                        "host",
                        "--decoder",
                        "cpu");
                Tool count = run(
                        "sub_count", "--key", key, "--max-frames", "20", "--connect-timeout-ms", "60000", "--json")) {
            assertEquals(0, count.await(), () -> describe(source, count));
            assertEquals(20, count.json().get("frames").getAsLong());
            try (Subscriber reader =
                    Subscriber.builder(key).socketDirectory(directory).open()) {
                assertEquals(4, reader.slots());
            }
            source.signal("INT");
            assertEquals(0, source.await(), () -> describe(source, count));
        }
    }

    @Test
    void aMissingPublisherHasItsExitStatus() throws Exception {
        try (Tool count = run("sub_count", "--key", "nobody", "--connect-timeout-ms", "100")) {
            assertEquals(ExitStatus.NO_PUBLISHER, count.await(), count.err());
        }
    }

    private static String describe(Tool source, Tool count) {
        try {
            return "source: " + source.err() + "\ncount: " + count.err();
        } catch (IOException e) {
            return e.toString();
        }
    }
}
