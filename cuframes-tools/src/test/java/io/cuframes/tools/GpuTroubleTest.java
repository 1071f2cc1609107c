// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** rtsp-source where the GPU has no memory for a ring for a while, and where its context is lost. */
@Timeout(300)
class GpuTroubleTest {
    private static final int FRAMES = 10;
    private static final String NO_MEMORY = "2";
    private static final String LOST = "700";

    @TempDir
    static Path clips;

    private static Path clip;

    private static Map<String, String> standIn;

    private final String key = "trouble-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    @BeforeAll
    static void makeAClipOfTwoFormats() throws Exception {
        standIn = StandInLibrary.environment(clips);
        clip = TwoFormatClip.make(clips, FRAMES);
    }

    private Tool source(String failure, String... more) throws Exception {
        List<String> line = new ArrayList<>();
        line.add(ProcessHandle.current().info().command().orElseThrow());
        line.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path")));
        line.addAll(List.of(Cuframes.class.getName(), "rtsp-source", "--transport", "cuda-ipc", "--decoder", "cpu"));
        line.addAll(List.of("--socket-dir", directory.toString(), "--json"));
        line.addAll(List.of(more));
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().putAll(standIn);
        builder.environment().put("CUFRAMES_STANDIN_FAIL", failure);
        return Tool.start(directory, builder);
    }

    /** Each ring is one allocation: the first is made, the second has no memory twice. */
    @Test
    void aSourceTriesTheRingOfItsNextFormatUntilThereIsMemory() throws Exception {
        String failure = "cudaMalloc:2:" + NO_MEMORY + ",cudaMalloc:3:" + NO_MEMORY;
        try (Tool source = source(failure, "--rtsp", clip.toString(), "--key", key)) {
            assertEquals(0, source.await(), source.err());
            JsonObject result = source.json();
            assertEquals(2 * FRAMES, result.get("frames").getAsInt(), source.err());
            assertEquals(2, result.get("epochs").getAsInt());
            assertEquals(0, result.get("dropped").getAsInt());
            assertTrue(source.err().contains("the stream cannot be opened: "), source.err());
            assertTrue(source.err().contains("; trying again in 0.5 s"), source.err());
            assertTrue(source.err().contains("; trying again in 1.0 s"), source.err());
        }
    }

    @Test
    void aSourceWhoseFirstRingHasNoMemorySaysSo() throws Exception {
        try (Tool source = source("cudaMalloc:1:" + NO_MEMORY, "--rtsp", clip.toString(), "--key", key)) {
            assertEquals(5, source.await(), source.err());
            assertTrue(source.err().contains("cudaMalloc"), source.err());
            assertFalse(source.err().contains("trying again"), source.err());
        }
    }

    @Test
    void eachCameraOfAFleetTriesItsFirstRingToo() throws Exception {
        try (Tool source =
                source("cudaMalloc:1:" + NO_MEMORY, "--camera", key + "a=" + clip, "--camera", key + "b=" + clip)) {
            assertEquals(0, source.await(), source.err());
            assertTrue(source.err().contains("the stream cannot be opened: "), source.err());
            source.json()
                    .getAsJsonArray("cameras")
                    .forEach(camera -> assertEquals(
                            2 * FRAMES, camera.getAsJsonObject().get("frames").getAsInt(), camera.toString()));
        }
    }

    @Test
    void aSignalEndsTheAttempts() throws Exception {
        try (Tool source = source("cudaMalloc:2+:" + NO_MEMORY, "--rtsp", clip.toString(), "--key", key)) {
            source.awaitError("trying again in 1.0 s");
            source.signal("TERM");
            assertEquals(0, source.await(), source.err());
            assertEquals(FRAMES, source.json().get("frames").getAsInt());
        }
    }

    @Test
    void aContextThatIsLostEndsAllCamerasOnItAndIsSaidInOneLine() throws Exception {
        try (Tool source = source(
                "operation:40:" + LOST,
                "--camera",
                key + "a=" + clip,
                "--camera",
                key + "b=" + clip,
                "--loop",
                "--realtime")) {
            assertEquals(5, source.await(), source.err());
            assertEquals(2, source.json().get("failed").getAsInt(), source.out());
            String said = "the CUDA context is lost, and all cameras of this process share it";
            assertTrue(source.err().contains(said), source.err());
            assertEquals(source.err().indexOf(said), source.err().lastIndexOf(said), "once for all: " + source.err());
            assertFalse(source.err().contains("trying again"), source.err());
        }
    }
}
