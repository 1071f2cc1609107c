// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.PublishPolicy;
import io.cuframes.Transport;
import io.cuframes.javacv.VideoSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The file of {@code rtsp-source --config}. */
class CameraFileTest {
    @TempDir
    Path directory;

    private static CameraSettings.Draft defaults() {
        CameraSettings.Draft draft = new CameraSettings.Draft();
        draft.ring = 6;
        draft.policy = PublishPolicy.DROP_OLDEST;
        draft.transport = Transport.AUTO;
        draft.decoder = VideoSource.Decoder.AUTO;
        draft.rtspTransport = VideoSource.RtspTransport.TCP;
        draft.reconnect = true;
        draft.maxSubscribers = 32;
        draft.linger = Duration.ofSeconds(10);
        return draft;
    }

    private List<CameraSettings> read(String yaml) throws IOException {
        return read(yaml, Map.of());
    }

    private List<CameraSettings> read(String yaml, Map<String, String> environment) throws IOException {
        Path file = directory.resolve("cameras.yaml");
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return CameraFile.read(Files.writeString(file, yaml), defaults(), environment);
    }

    private String refused(String yaml) {
        return assertThrows(IllegalArgumentException.class, () -> read(yaml)).getMessage();
    }

    @Test
    void whatIsSaidAtTheTopHoldsForCamerasThatDoNotSayOtherwise() throws Exception {
        List<CameraSettings> cameras = read("""
                ring: 12
                policy: strict-wait
                open-timeout: 90
                read-timeout: 8
                drop-damaged: true
                on-demand: true
                linger: 0.5
                input-options:
                  user_agent: top
                  buffer_size: 1000000
                allow-groups: []
                cameras:
                  - key: gate
                    url: rtsp://192.0.2.7/1
                  - key: 7
                    url: a.mp4
                    ring: 4
                    policy: drop-newest
                    transport: cuda-vmm
                    decoder: nvdec
                    device: 1
                    rtsp-transport: udp
                    listen: true
                    loop: true
                    realtime: true
                    reconnect: false
                    open-timeout: 2.5
                    read-timeout: 7
                    drop-damaged: false
                    max-frames: 9
                    max-subscribers: 3
                    allow-users: [1001, 1002]
                    allow-groups: [44]
                    on-demand: false
                    linger: 30
                    input-format: mpegts
                    input-options: {user_agent: own, framerate: 5}
                """);
        assertEquals(
                new CameraSettings(
                        "gate",
                        "rtsp://192.0.2.7/1",
                        12,
                        PublishPolicy.STRICT_WAIT,
                        Transport.AUTO,
                        VideoSource.Decoder.AUTO,
                        0,
                        VideoSource.RtspTransport.TCP,
                        false,
                        false,
                        false,
                        true,
                        Duration.ofSeconds(90),
                        Duration.ofSeconds(8),
                        true,
                        0,
                        32,
                        null,
                        List.of(),
                        true,
                        Map.of("user_agent", "top", "buffer_size", "1000000"),
                        null,
                        Duration.ofMillis(500)),
                cameras.get(0));
        assertEquals(
                new CameraSettings(
                        "7",
                        directory.resolve("a.mp4").toString(),
                        4,
                        PublishPolicy.DROP_NEWEST,
                        Transport.CUDA_VMM,
                        VideoSource.Decoder.NVDEC,
                        1,
                        VideoSource.RtspTransport.UDP,
                        true,
                        true,
                        true,
                        false,
                        Duration.ofMillis(2500),
                        Duration.ofSeconds(7),
                        false,
                        9,
                        3,
                        List.of(1001, 1002),
                        List.of(44),
                        false,
                        Map.of("user_agent", "own", "buffer_size", "1000000", "framerate", "5"),
                        "mpegts",
                        Duration.ofSeconds(30)),
                cameras.get(1));
        assertEquals(2, cameras.size());
    }

    @Test
    void theExampleOfTheDocumentIsOne() throws Exception {
        Path secret = Files.writeString(directory.resolve("gate.url"), "rtsp://192.0.2.7/1\n");
        String text = Files.readString(Path.of("../docs/requirements.md"));
        String yaml = text.substring(text.indexOf("```yaml\n") + 8);
        List<CameraSettings> cameras =
                read(yaml.substring(0, yaml.indexOf("```")).replace("/run/secrets/gate.url", secret.toString()));
        assertEquals(
                List.of("gate", "yard"),
                cameras.stream().map(CameraSettings::key).toList());
        assertEquals(
                List.of(true, false),
                cameras.stream().map(CameraSettings::onDemand).toList());
    }

    @Test
    void aUrlMayBeInAFileBesideOrInTheEnvironment() throws Exception {
        Path secret = directory.resolve("gate.url");
        Files.writeString(secret, "rtsp://u:p@192.0.2.7/1\n");
        List<CameraSettings> cameras = read(
                "cameras:\n- {key: gate, url: '@gate.url'}\n- key: front-door.2\n",
                Map.of("CUFRAMES_RTSP_URL_FRONT_DOOR_2", "rtsp://u:p@192.0.2.8/1"));
        assertEquals("rtsp://u:p@192.0.2.7/1", cameras.get(0).address());
        assertEquals("rtsp://u:p@192.0.2.8/1", cameras.get(1).address());
        assertFalse(cameras.toString().contains("u:p"), cameras.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "rings: 4\\ncameras: [] | :1: rings: there is no such field here: known are ring, policy",
                "cameras:\\n- key: a\\n  url: b\\n  colour: red | :4: colour: there is no such field here",
                "cameras:\\n- key: a\\n  url: b\\n  ring: many | :4: ring: is \"many\": it must be a whole number, 2 to 64",
                "cameras:\\n- key: a\\n  url: b\\n  ring: 65 | :4: ring: is \"65\": it must be a whole number, 2 to 64",
                "cameras:\\n- key: a\\n  url: b\\n  loop: maybe | :4: loop: is \"maybe\": it must be true or false",
                "decoder: gpu\\ncameras: [] | :1: decoder: is \"gpu\": it must be one of auto, nvdec, cpu",
                "linger: -1\\ncameras: [] | :1: linger: is \"-1\": it must be seconds, 0 to 86400",
                "open-timeout: 0\\ncameras: [] | :1: open-timeout: is \"0\": it must be seconds, more than 0 and up to 86400",
                "read-timeout: 0.0001\\ncameras: [] | :1: read-timeout: is \"0.0001\": it must be seconds, more than 0",
                "drop-damaged: yes\\ncameras: [] | :1: drop-damaged: is \"yes\": it must be true or false",
                "allow-users: [bob]\\ncameras: [] | :1: allow-users[0]: is \"bob\": it must be a whole number, 0 or more",
                "input-options: [a=b]\\ncameras: [] | :1: input-options: is no mapping",
                "input-options: {a: [1]}\\ncameras: [] | :1: a: needs a text",
                "input-options: {a: 1, a: 2}\\ncameras: [] | :1: a: is there twice",
                "input-format: []\\ncameras: [] | :1: input-format: needs a text",
                "ring: [1]\\ncameras: [] | :1: ring: is a list or mapping: it must be a whole number",
                "cameras:\\n- url: b | :2: cameras[0]: has no field key: give the camera's stream a name",
                "cameras:\\n- key: a | :2: cameras[0]: has no field url, and the environment has no CUFRAMES_RTSP_URL_A",
                "cameras:\\n- key: a/b\\n  url: c | :2: key:",
                "cameras:\\n- key: a\\n  url: b\\n- key: a\\n  url: c | :4: cameras[1]: has the key \"a\", which the camera in line 2 has",
                "cameras:\\n- key: a\\n  url: b\\n  url: c | :4: url: is there twice, in line 3 too",
                "cameras:\\n- key: a\\n  url: '@none' | :3: url: @none: the file cannot be read",
                "cameras:\\n- key: a\\n  url: @none | :3: is not YAML: found character '@'",
                "cameras: []\\n | :1: cameras: is empty",
                "cameras: gate | :1: cameras: is no list",
                "ring: 4 | :1: the file: has no field cameras",
                "'gate' | :1: the file: is no mapping",
                "'' | is empty: list cameras"
            })
    void whatMakesNoSenseIsRefusedWithItsPlace(String yaml, String expected) {
        String error = refused(yaml.replace("\\n", "\n"));
        assertTrue(error.startsWith(directory.resolve("cameras.yaml").toString()), error);
        assertTrue(error.contains(expected), error);
    }

    @Test
    void fileNamesAreRelativeToTheFileWhateverTheyLookLike() throws Exception {
        for (String name : List.of("gate:main.mp4", "a b%.mp4", "-x.mp4", "rtsp:odd")) {
            Files.writeString(directory.resolve(name), "x");
        }
        List<String> written = List.of(
                "gate:main.mp4",
                "a b%.mp4",
                "-x.mp4",
                "rtsp:odd",
                "none.mp4",
                "none:1",
                "file:a%20b%25.mp4",
                "/x/y.mp4",
                "file:///x/y.mp4",
                "rtsp://cam/1",
                "-",
                "' gate:main.mp4 '");
        StringBuilder yaml = new StringBuilder("cameras:\n");
        for (int i = 0; i < written.size(); i++) {
            String address = written.get(i);
            yaml.append("- {key: k")
                    .append(i)
                    .append(", url: ")
                    .append(address.startsWith("'") ? address : "'" + address + "'")
                    .append("}\n");
        }
        assertEquals(
                List.of(
                        directory + "/gate:main.mp4",
                        directory + "/a b%.mp4",
                        directory + "/-x.mp4",
                        directory + "/rtsp:odd",
                        directory + "/none.mp4",
                        "none:1",
                        "file:" + directory + "/a%20b%25.mp4",
                        "/x/y.mp4",
                        "file:///x/y.mp4",
                        "rtsp://cam/1",
                        "-",
                        directory + "/gate:main.mp4"),
                read(yaml.toString()).stream().map(CameraSettings::address).toList());
    }

    @Test
    void aVariableMayEndInALineEnd() throws Exception {
        List<CameraSettings> cameras =
                read("cameras:\n- key: a\n", Map.of("CUFRAMES_RTSP_URL_A", " rtsp://192.0.2.8/1\n"));
        assertEquals("rtsp://192.0.2.8/1", cameras.get(0).address());
    }

    @Test
    void credentialsAreInNoError() {
        for (String yaml : List.of(
                "cameras:\n- key: a\n  url: rtsp://adm1n:hunter2@x/1\n  ring: rtsp://adm1n:hunter2@x/2\n",
                "cameras:\n- key: a\n  url: rtsp://adm1n:hunter2@x/1\n bad: [\n",
                "cameras:\n- key: a\n  url: \"rtsp://adm1n:hunter2@x/1\n")) {
            String error = refused(yaml);
            assertFalse(error.contains("hunter2") || error.contains("adm1n"), error);
        }
    }

    @Test
    void whatIsNoTextIsRefused() throws Exception {
        Path file = directory.resolve("latin.yaml");
        Files.write(file, "cameras: [ä]".getBytes(StandardCharsets.ISO_8859_1));
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> CameraFile.read(file, defaults(), Map.of()));
        assertEquals(file + ": is not UTF-8: save it as that", error.getMessage());
        Path none = directory.resolve("none.yaml");
        error = assertThrows(IllegalArgumentException.class, () -> CameraFile.read(none, defaults(), Map.of()));
        assertTrue(error.getMessage().contains("cannot be read"), error.getMessage());
    }
}
