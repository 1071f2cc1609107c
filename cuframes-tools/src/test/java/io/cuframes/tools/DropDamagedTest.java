// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Damaged frames on their whole way: from a broken file to what a reader counts. */
@Timeout(120)
class DropDamagedTest {
    @TempDir
    static Path clips;

    private static Path broken;

    private final String key = "drop-damaged-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    @BeforeAll
    static void makeAClip() throws IOException {
        broken = BrokenClip.broken(clips.resolve("broken.h264"));
    }

    private record Result(JsonObject published, JsonObject read) {}

    private Result publish(String... more) throws Exception {
        String sockets = directory.resolve("sockets").toString();
        String[] source = {
            "rtsp-source",
            "--rtsp",
            broken.toString(),
            "--key",
            key,
            "--socket-dir",
            sockets,
            "--transport",
            "host",
            "--decoder",
            "cpu",
            "--loop",
            "--realtime",
            "--json"
        };
        String[] line = Arrays.copyOf(source, source.length + more.length);
        System.arraycopy(more, 0, line, source.length, more.length);
        try (Tool publisher = Tool.start(directory, line);
                Tool reader = Tool.start(
                        directory,
                        "sub-count",
                        "--key",
                        key,
                        "--socket-dir",
                        sockets,
                        "--mode",
                        "strict",
                        "--connect-timeout-ms",
                        "60000",
                        "--max-frames",
                        "100",
                        "--json")) {
            assertEquals(0, reader.await(), reader.err());
            publisher.signal("TERM");
            assertEquals(0, publisher.await(), publisher.err());
            return new Result(publisher.json(), reader.json());
        }
    }

    @Test
    void damagedFramesReachReadersWithTheirMark() throws Exception {
        Result result = publish();
        assertTrue(result.published().get("damaged").getAsLong() > 0, result.toString());
        assertEquals(0, result.published().get("held_back").getAsLong(), result.toString());
        assertTrue(result.read().get("damaged").getAsLong() > 0, result.toString());
    }

    @Test
    void noDamagedFrameReachesReadersWhereTheyAreHeldBack() throws Exception {
        Result result = publish("--drop-damaged");
        assertTrue(result.published().get("held_back").getAsLong() > 0, result.toString());
        assertEquals(result.published().get("damaged"), result.published().get("held_back"), result.toString());
        assertEquals(0, result.read().get("damaged").getAsLong(), result.toString());
        assertEquals(100, result.read().get("frames").getAsLong(), result.toString());
    }
}
