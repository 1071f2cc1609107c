// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.internal.cuda.ReaderDevice;
import io.cuframes.internal.doctor.Finding;
import io.cuframes.internal.doctor.Outcome;
import io.cuframes.internal.doctor.ReadStep;
import io.cuframes.internal.doctor.StreamExam;
import io.cuframes.internal.doctor.StreamExam.Verdict;
import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.testing.Needs;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The doctor, of this host and of single streams: each step, with something there that fails it. */
class DoctorCommandTest {
    /** A library that is none: the doctor finds no driver, whatever the machine has. */
    private static final String NO_DRIVER = "-Dcuframes.cuda=/nowhere/libcuda.so.1";

    private final String key = "doctor-test-" + ProcessHandle.current().pid();

    @TempDir
    Path directory;

    private Tool doctor(String... more) throws Exception {
        return doctor(List.of(), more);
    }

    private Tool doctor(List<String> options, String... more) throws Exception {
        List<String> line = new ArrayList<>(
                List.of(ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED"));
        line.addAll(options);
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), Cuframes.class.getName(), "doctor"));
        line.addAll(List.of("--socket-dir", directory.toString()));
        line.addAll(List.of(more));
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().put("LC_ALL", "C.UTF-8");
        return Tool.start(directory, builder);
    }

    private Path socket() {
        return directory.resolve(key + ".sock");
    }

    /** Goes the way in this process, which the command only prints; gives the last step, which is the one that failed. */
    private Finding examine(Verdict verdict) {
        List<Finding> told = new ArrayList<>();
        StreamExam.Result result =
                new StreamExam(key, directory, Duration.ofSeconds(1), ReaderDevice.AUTOMATIC, told::add).examine();
        assertEquals(verdict, result.verdict(), told::toString);
        assertEquals(told, result.findings());
        for (Finding finding : told.subList(0, told.size() - 1)) {
            assertTrue(finding.outcome() == Outcome.WORKS || finding.outcome() == Outcome.NOTE, told::toString);
        }
        return told.getLast();
    }

    private void assertFails(Verdict verdict, ReadStep step, String... fragments) {
        Finding last = examine(verdict);
        assertEquals(step, last.check(), last::toString);
        assertEquals(Outcome.FAILS, last.outcome(), last::toString);
        for (String fragment : fragments) {
            assertTrue((last.found() + " " + last.remedy()).contains(fragment), last::toString);
        }
    }

    @Test
    void aHostWithoutADriverIsFineUnlessMoreIsRequired() throws Exception {
        try (Tool tool = doctor(List.of(NO_DRIVER));
                Tool strict = doctor(List.of(NO_DRIVER), "--require", "cuda-vmm", "--json")) {
            assertEquals(0, tool.await(), tool.out() + tool.err());
            List<String> lines = tool.out().lines().toList();
            assertTrue(tool.out().contains("\u2713 frames over HOST: another process read "), tool.out());
            assertTrue(tool.out().contains("\u2717 NVIDIA driver"), tool.out());
            assertTrue(tool.out().contains("    \u2192 "), tool.out());
            assertTrue(tool.out().contains("\u00b7 frames over CUDA_VMM: needs: NVIDIA driver"), tool.out());
            assertEquals(
                    "\u2713 frames can be shared in host memory (HOST); not on a GPU", lines.get(lines.size() - 1));
            assertFalse(tool.out().contains("\033"), "colours where no terminal is");

            assertEquals(7, strict.await(), strict.out() + strict.err());
            assertEquals(1, strict.out().lines().count(), strict.out());
            JsonObject json = strict.json();
            assertEquals("cuda-vmm", json.get("required").getAsString());
            assertFalse(json.get("fine").getAsBoolean());
            assertTrue(json.getAsJsonObject("able").get("host").getAsBoolean());
            assertFalse(json.getAsJsonObject("able").get("cuda_vmm").getAsBoolean());
            JsonObject first = json.getAsJsonArray("checks").get(0).getAsJsonObject();
            assertEquals("sealed-memory", first.get("name").getAsString());
            assertEquals("works", first.get("outcome").getAsString());
            assertTrue(strict.err().contains("required: cuda-vmm"), strict.err());
        }
        assertLeftNothing();
    }

    private void assertLeftNothing() throws Exception {
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(
                    List.of(),
                    files.filter(file -> file.toString().endsWith(".sock")).toList());
        }
    }

    @Test
    void asciiServesWhereTheLocaleHasNoMore() throws Exception {
        List<String> line = List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Cuframes.class.getName(),
                "doctor",
                "--key",
                key,
                "--socket-dir",
                directory.toString());
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().put("LC_ALL", "C");
        try (Tool tool = Tool.start(directory, builder)) {
            assertEquals(3, tool.await(), tool.err());
            assertTrue(tool.out().startsWith("[ok] key: "), tool.out());
            assertTrue(tool.out().contains("[no] socket " + socket() + ": does not exist"), tool.out());
            assertTrue(tool.out().contains("    -> start a publisher of "), tool.out());
            assertTrue(tool.out().chars().allMatch(c -> c < 0x80), tool.out());
        }
    }

    @Test
    void aProcessThatPublishesIsReadAndLetGo() throws Exception {
        try (Tool publisher = Tool.start(directory, StampedStream.class, key, directory.toString(), "6")) {
            Tool.awaitThat("it listens", () -> Files.exists(socket()));
            try (Tool json = doctor("--key", key, "--json")) {
                assertEquals(0, json.await(), json.out() + json.err());
                assertEquals(1, json.out().lines().count(), json.out());
                assertTrue(json.json().get("readable").getAsBoolean());
                assertEquals("readable", json.json().get("verdict").getAsString());
                assertTrue(json.json().get("subscribed_ms").getAsDouble() > 0, json.out());
                JsonArray steps = json.json().getAsJsonArray("steps");
                JsonObject last = steps.get(steps.size() - 1).getAsJsonObject();
                assertEquals("frame", last.get("name").getAsString());
                assertEquals("works", last.get("outcome").getAsString());
                assertEquals("", last.get("remedy").getAsString());
            }
            try (Tool tool = doctor("--key", key)) {
                assertEquals(0, tool.await(), tool.out());
                assertTrue(tool.out().contains("listener " + socket() + ": process " + publisher.pid()), tool.out());
                assertTrue(tool.out().contains("stream NV12 320x192 through HOST, 6 slots: is live"), tool.out());
                assertTrue(
                        tool.out().contains("\u2713 \"" + key + "\" can be read; a subscriber's place was taken for "),
                        tool.out());
            }
            publisher.signal("STOP");
            assertFails(
                    Verdict.UNREADABLE,
                    ReadStep.PROTOCOL,
                    "did not answer within 2 s",
                    "process " + publisher.pid() + " is stopped");
            publisher.signal("KILL");
            publisher.await();
            assertFails(Verdict.NO_PUBLISHER, ReadStep.LISTENER, "left over", "rm " + socket());
        } finally {
            Files.deleteIfExists(Path.of("/dev/shm/cuframes-" + key));
        }
    }

    /** Its clock is eleven days ahead; at first it states that, and then it does not. */
    @Test
    void aPublisherInAnotherTimeNamespaceIsReadAndNamed() throws Exception {
        Needs.root("shift the clock of a time namespace");
        Needs.program("unshare", "util-linux");
        ProcessBuilder builder = new ProcessBuilder(
                "unshare",
                "--time",
                "--monotonic",
                "1000000",
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                StampedStream.class.getName(),
                key,
                directory.toString(),
                "6");
        Path segment = Path.of("/dev/shm/cuframes-" + key);
        try (Tool publisher = Tool.start(directory, builder)) {
            Tool.awaitThat(
                    "it listens",
                    () -> Files.exists(socket()) || !publisher.process().isAlive());
            assertTrue(publisher.process().isAlive(), publisher.err());
            Finding last = examine(Verdict.READABLE);
            assertEquals(Outcome.WORKS, last.outcome(), last::toString);
            try (Tool tool = doctor("--key", key)) {
                assertEquals(0, tool.await(), tool.out());
                assertTrue(
                        tool.out()
                                .matches(
                                        "(?s).* clock: the publisher's monotonic clock is (1000000|999999) s ahead of this"
                                                + " process's: they are in different time namespaces\\n.*"),
                        tool.out());
            }
            try (FileChannel file = FileChannel.open(segment, StandardOpenOption.WRITE)) {
                file.write(ByteBuffer.allocate(8), SegmentDescriptor.MONOTONIC_OFFSET_OFFSET);
            }
            last = examine(Verdict.READABLE);
            assertEquals(ReadStep.FRAME, last.check(), last::toString);
            assertEquals(Outcome.NOTE, last.outcome(), last::toString);
            assertTrue(last.remedy().contains("monotonic_offset"), last::toString);
        } finally {
            Files.deleteIfExists(segment);
        }
    }

    @Test
    void aFullAnIdleAndASilentPublisherAreToldApart() throws Exception {
        try (Publisher publisher = Publisher.builder(key)
                .socketDirectory(directory)
                .transport(Transport.HOST)
                .size(64, 48)
                .maxSubscribers(1)
                .open()) {
            try (Subscriber only = Subscriber.builder(key)
                    .socketDirectory(directory)
                    .name("the-only-one")
                    .open()) {
                assertFails(
                        Verdict.UNREADABLE, ReadStep.ROOM, "1 of 1 subscribers", "the-only-one", "--max-subscribers");
                assertEquals(0, only.stats().received());
            }
            Tool.awaitThat("there is room", () -> publisher.subscribers() == 0);
            assertFails(Verdict.UNREADABLE, ReadStep.FRAME, "none came within 1.0 s", "--timeout");
            publisher.setIdle(true);
            assertFails(Verdict.UNREADABLE, ReadStep.FRAME, "and the publisher is idle");
            Tool.awaitThat("it is gone", () -> publisher.subscribers() == 0);
        }
        assertLeftNothing();
    }

    @Test
    void whatIsNoPublisherFailsTheStepThatItFails() throws Exception {
        assertFails(Verdict.NO_PUBLISHER, ReadStep.SOCKET, "does not exist", "start a publisher");
        Files.createFile(socket());
        assertFails(Verdict.NO_PUBLISHER, ReadStep.SOCKET, "is no socket");
        Files.delete(socket());
        Impostor.leaveSocket(socket());
        assertFails(Verdict.NO_PUBLISHER, ReadStep.LISTENER, "left over", "rm " + socket());
        Files.delete(socket());
        try (Impostor stranger = new Impostor(socket(), Impostor.garbage())) {
            assertFails(Verdict.UNREADABLE, ReadStep.PROTOCOL, "does not follow the protocol");
        }
        Files.delete(socket());
        try (Impostor future = new Impostor(socket(), Impostor.fromTheFuture())) {
            assertFails(Verdict.UNREADABLE, ReadStep.PROTOCOL, "version 2.0, and this is 1.1", "same release");
        }
        Files.delete(socket());
        try (Impostor silent = new Impostor(socket(), null)) {
            assertFails(Verdict.UNREADABLE, ReadStep.PROTOCOL, "did not answer within 2 s");
        }
    }

    @Test
    void aCommandLineThatMakesNoSenseIsRefused() throws Exception {
        try (Tool illegal = doctor("--key", "a/b");
                Tool both = doctor("--key", key, "--require", "cuda");
                Tool unknown = doctor("--require", "gpu")) {
            assertEquals(2, illegal.await());
            assertTrue(illegal.out().contains("\u2717 key: illegal key"), illegal.out());
            assertEquals(2, both.await());
            assertTrue(both.err().contains("use one of them"), both.err());
            assertEquals(2, unknown.await());
            assertTrue(unknown.err().contains("auto, host, cuda, cuda-vmm, cuda-ipc"), unknown.err());
        }
    }

    @Test
    void anotherUserIsToldWhatKeepsHimOut() throws Exception {
        Path place = Files.createTempDirectory("cuframes-doctor-test");
        String[] line = {"doctor", "--key", key, "--socket-dir", place.toString()};
        try (OtherUser other = new OtherUser()) {
            Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwx------"));
            try (Publisher publisher = Publisher.builder(key)
                            .socketDirectory(place)
                            .transport(Transport.HOST)
                            .size(64, 48)
                            .open();
                    Tool tool = other.start(directory, line)) {
                assertEquals(7, tool.await(), tool.out());
                assertTrue(tool.out().contains("permission " + place), tool.out());
                assertTrue(tool.out().contains(place + " has mode 700, user 0"), tool.out());
                assertTrue(tool.out().contains("--allow-user"), tool.out());
                assertEquals(0, publisher.subscribers());
            }
            Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwx--x--x"));
            try (Publisher publisher = Publisher.builder(key)
                            .socketDirectory(place)
                            .transport(Transport.HOST)
                            .allowUsers(12345)
                            .size(64, 48)
                            .open();
                    Tool tool = other.start(directory, line)) {
                assertEquals(7, tool.await(), tool.out());
                assertTrue(tool.out().contains(" user: turned this user away, ACCESS: user 54321"), tool.out());
                assertEquals(0, publisher.subscribers());
            }
        } finally {
            Files.deleteIfExists(place);
        }
    }
}
