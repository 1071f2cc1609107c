// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import io.cuframes.CuframesException;
import io.cuframes.PlaneLayout;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.internal.cuda.CudaDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Publishes a stream of one small frame, and has another process read it: what works here works for every program of this user, with the same
 * libraries, on this machine.
 */
final class SharingCheck {
    static final int WIDTH = 256; // a whole pitch: no bytes between the rows that nobody writes
    static final int HEIGHT = 64;

    /** What the other process is given to begin, to make a context, and to read. */
    private static final int PATIENCE_SECONDS = 60;

    private static final int SLOTS = 2;

    /** The Java that runs this. */
    private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");

    private final Path directory;
    private final Map<String, String> environment;

    /**
     * With a directory for the socket.
     *
     * @param directory the one that streams use; null for a temporary one
     * @param environment what the other process has besides this one's
     */
    SharingCheck(Path directory, Map<String, String> environment) {
        this.directory = directory;
        this.environment = environment;
    }

    /**
     * Does it.
     *
     * @param check what it stands for
     * @param transport to be tried
     * @param device that holds the ring; null for HOST
     */
    Finding share(Check check, Transport transport, CudaDevice device) {
        String subject = device == null ? "" : device.toString();
        Path temporary = null;
        try {
            temporary = directory == null ? Files.createTempDirectory("cuframes-doctor") : null;
            String answer = read(transport, device, directory == null ? temporary : directory);
            return answer.startsWith(FrameReader.READ)
                    ? Finding.works(check, subject, "another process " + answer)
                    : Finding.fails(check, subject, "another process could not read: " + answer, remedy(transport));
        } catch (IOException e) {
            return Finding.fails(
                    check,
                    subject,
                    "no other process, or no directory for its socket, could be made: " + e.getMessage(),
                    "see that this user may start " + JAVA + " and write to " + System.getProperty("java.io.tmpdir"));
        } catch (CuframesException e) {
            return Finding.fails(
                    check, subject, "a frame could not be published: " + e.getMessage(), remedy(transport));
        } finally {
            remove(temporary);
        }
    }

    private static void remove(Path temporary) {
        try {
            if (temporary != null) {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            temporary.toFile().deleteOnExit();
        }
    }

    private static String remedy(Transport transport) {
        return switch (transport) {
            case CUDA_IPC ->
                "publish with transport CUDA_VMM if it works above, else HOST; between containers, share the ipc and pid namespaces"
                        + " (--ipc=host --pid=host)";
            case CUDA_VMM ->
                "publish with transport CUDA_IPC or HOST, whichever works, and see what the reader could not do";
            case HOST, AUTO -> "see to shared memory and the socket directory above";
        };
    }

    private String read(Transport transport, CudaDevice device, Path directory) throws IOException {
        String key = "doctor-" + Long.toHexString(new SecureRandom().nextLong());
        Publisher.Builder builder = Publisher.builder(key)
                .socketDirectory(directory)
                .transport(transport)
                .size(WIDTH, HEIGHT)
                .slots(SLOTS);
        if (device != null) {
            builder.device(device.ordinal());
        }
        try (Publisher publisher = builder.open();
                Arena arena = Arena.ofConfined()) {
            MemorySegment pixels = arena.allocate(publisher.format().frameBytes());
            fill(pixels);
            try (WritableFrame frame = publisher.acquire()) {
                for (int i = 0; i < publisher.format().planes().size(); i++) {
                    PlaneLayout plane = publisher.format().planes().get(i);
                    frame.copyPlane(i, pixels.asSlice(plane.offset(), plane.bytes()), plane.pitch());
                }
                frame.publish(0);
            }
            return ask(key, directory);
        }
    }

    /** The pixels of the frame: every byte depends on its place. */
    static void fill(MemorySegment pixels) {
        for (long i = 0; i < pixels.byteSize(); i++) {
            pixels.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31 + (i >> 8)));
        }
    }

    /** Has a process of its own read the frame; returns the last line that it prints. */
    private String ask(String key, Path directory) throws IOException {
        List<String> command = new ArrayList<>(javaCommand());
        command.addAll(List.of(key, directory.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process reader = builder.start();
        try {
            reader.getOutputStream().close();
            if (!reader.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                return "it did not end within " + PATIENCE_SECONDS + " s";
            }
            String output = new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return output.isEmpty()
                    ? "it ended with status " + reader.exitValue() + " and said nothing"
                    : output.substring(output.lastIndexOf('\n') + 1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        } finally {
            reader.destroyForcibly();
        }
    }

    /** This Java, with these classes, wherever they came from: the class path, the module path, or a linked runtime. */
    private static List<String> javaCommand() {
        List<String> command = new ArrayList<>();
        command.add(JAVA.toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"));
        for (String property : List.of("cuframes.cuda", "cuframes.cudart")) {
            String value = System.getProperty(property);
            if (value != null) {
                command.add("-D" + property + "=" + value);
            }
        }
        Module module = FrameReader.class.getModule();
        if (!module.isNamed()) {
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path")));
            command.add(FrameReader.class.getName());
            return command;
        }
        command.add("--enable-native-access=io.cuframes.ffm");
        String modulePath = System.getProperty("jdk.module.path");
        if (modulePath != null) {
            command.addAll(List.of("-p", modulePath));
        }
        command.addAll(List.of("-m", module.getName() + "/" + FrameReader.class.getName()));
        return command;
    }
}
