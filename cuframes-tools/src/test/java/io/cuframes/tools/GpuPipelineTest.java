// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.javacv.TestPatternWriter;
import io.cuframes.testing.Needs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The main job on a GPU: NVDEC decodes once, three processes read the ring in device memory, and every frame's number is right. */
@Tag("gpu")
class GpuPipelineTest {
    private static final int READERS = 3;
    private static final int FRAMES = 500;
    private static final int COUNTED = 300;

    private final String key = "gpu-pipeline-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    @BeforeEach
    void needsAGpu() {
        try {
            Publisher.builder(key)
                    .socketDirectory(directory)
                    .transport(Transport.CUDA_IPC)
                    .size(64, 64)
                    .open()
                    .close();
        } catch (CuframesException e) {
            if (e.code() != ErrorCode.CUDA) {
                throw e;
            }
            Needs.gpu(false, e.getMessage());
        }
    }

    @ParameterizedTest
    @CsvSource({"libx264, CUDA_VMM", "libx265, CUDA_VMM", "libx264, CUDA_IPC"})
    void aFileIsDecodedByNvdecAndReadByThreeProcesses(String codec, Transport transport) throws Exception {
        Path clip = directory.resolve("clip.mp4");
        makeAClip(clip, codec);
        List<Tool> readers = new ArrayList<>();
        for (int i = 0; i < READERS; i++) {
            readers.add(tool(
                    "sub-count",
                    "--mode",
                    "strict",
                    "--verify",
                    "--max-frames",
                    Integer.toString(COUNTED),
                    "--connect-timeout-ms",
                    "60000"));
        }
        try (Tool source = tool(
                "rtsp-source",
                "--rtsp",
                clip.toString(),
                "--decoder",
                "nvdec",
                "--transport",
                TransportWord.of(transport),
                "--realtime",
                "--ring",
                "12")) {
            for (Tool reader : readers) {
                assertEquals(0, reader.await(), reader.err());
                JsonObject read = reader.json();
                assertEquals(transport.name(), read.get("transport").getAsString());
                assertEquals(COUNTED, read.get("frames").getAsInt());
                assertEquals(0, read.get("torn").getAsInt(), reader.out());
                assertEquals(0, read.get("gaps").getAsInt(), reader.out());
                System.out.println(codec + " " + read);
            }
            assertEquals(0, source.await(), source.err());
            assertEquals("NVDEC", source.json().get("decoder").getAsString());
            assertEquals(FRAMES, source.json().get("frames").getAsInt(), source.out());
        } finally {
            readers.forEach(Tool::close);
        }
    }

    private static void makeAClip(Path clip, String codec) {
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(1920, 1080)
                .fps(25)
                .codec(codec)
                .open()) {
            for (int i = 0; i < FRAMES; i++) {
                writer.write();
            }
        } catch (CuframesException e) {
            if (e.code() != ErrorCode.UNSUPPORTED) {
                throw e;
            }
            throw Needs.missing("FFmpeg's natives with " + codec + " (classifier linux-x86_64-gpl): " + e.getMessage());
        }
    }

    @Test
    void theDemoRunsOnTheGpu() throws Exception {
        try (Tool demo = Tool.start(directory, "demo", "--seconds", "10", "--size", "1920x1080", "--json")) {
            assertEquals(0, demo.await(), demo.err());
            JsonObject result = demo.json();
            assertEquals("CUDA_VMM", result.get("transport").getAsString());
            assertEquals("NVDEC", result.get("decoder").getAsString());
            assertTrue(result.get("ok").getAsBoolean(), demo.out());
            System.out.println("demo " + result);
        }
    }

    private Tool tool(String command, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                command,
                "--key",
                key,
                "--socket-dir",
                directory.resolve("sockets").toString(),
                "--json"));
        arguments.addAll(List.of(more));
        return Tool.start(directory, arguments.toArray(String[]::new));
    }
}
