// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.connect.Observer;
import io.cuframes.internal.connect.Place;
import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.doctor.Doctor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A JVM whose flags deny native access: whatever is tried says so, names the flag, and says the same when it is tried again. */
@Timeout(120)
class NativeAccessDeniedTest {
    private static final String EXPECTED =
            "CuframesException UNSUPPORTED this JVM denies cuframes the calls into libc and CUDA"
                    + " that it is made of: start it with --enable-native-access=ALL-UNNAMED";

    @Test
    void everyWayInNamesTheFlagAtEachCall() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=java.logging")); // which denies it to all others, before JDK 24
        if (Runtime.version().feature() >= 24) {
            command.add("--illegal-native-access=deny");
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
        Process program = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        program.getOutputStream().close();
        List<String> lines = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertEquals(0, program.waitFor());
        assertTrue(lines.size() >= 2 * 10, lines.toString());
        for (String line : lines) {
            assertEquals(EXPECTED, line.substring(line.indexOf(": ") + 2), line);
        }
    }

    /** Tries all there is, twice. */
    static final class Program {
        private interface Attempt {
            void run() throws Exception;
        }

        private Program() {}

        public static void main(String[] args) {
            for (int round = 0; round < 2; round++) {
                attempts().forEach((name, attempt) -> System.out.println(name + ": " + outcome(attempt)));
            }
        }

        private static Map<String, Attempt> attempts() {
            Map<String, Attempt> attempts = new LinkedHashMap<>();
            Subscriber.Builder subscriber = Subscriber.builder("denied").connectTimeout(Duration.ZERO);
            attempts.put("subscriber", subscriber::open);
            attempts.put("handler", () -> subscriber.start(frame -> {}));
            attempts.put("flow", () -> flow(subscriber));
            attempts.put(
                    "publisher", () -> Publisher.builder("denied").size(64, 64).open());
            attempts.put(
                    "host publisher",
                    () -> Publisher.builder("denied")
                            .size(64, 64)
                            .transport(Transport.HOST)
                            .open());
            attempts.put("external host", () -> {
                try (Arena arena = Arena.ofConfined()) {
                    FrameFormat format = FrameFormat.of(PixelFormat.NV12, 64, 64, ColorInfo.UNKNOWN);
                    MemorySegment slot = arena.allocate(format.frameBytes(), 256);
                    Publisher.builder("denied")
                            .externalHost(format, List.of(slot, slot))
                            .open();
                }
            });
            attempts.put("free key", () -> Publisher.builder("denied").requireFreeKey());
            attempts.put("buffer", () -> SharedBuffer.allocate("denied", 4096));
            attempts.put("tensor", () -> DlpackTensor.wrap(1));
            attempts.put("old tensor", () -> DlpackTensor.wrapUnversioned(1));
            attempts.put("cuda", Cuda::load);
            attempts.put("observer", () -> Observer.look(new StreamKey("denied"), Place.chosen(Path.of("/tmp"))));
            attempts.put("doctor", () -> new Doctor(null, finding -> {}).examine());
            return attempts;
        }

        private static void flow(Subscriber.Builder builder) throws Exception {
            CompletableFuture<Throwable> end = new CompletableFuture<>();
            builder.toFlowPublisher().subscribe(new Flow.Subscriber<>() {
                @Override
                public void onSubscribe(Flow.Subscription subscription) {
                    subscription.request(1);
                }

                @Override
                public void onNext(Frame frame) {
                    frame.close();
                }

                @Override
                public void onError(Throwable thrown) {
                    end.complete(thrown);
                }

                @Override
                public void onComplete() {
                    end.complete(new IllegalStateException("complete"));
                }
            });
            try {
                throw (Exception) end.get(30, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                throw new IllegalStateException("nothing came", e);
            }
        }

        private static String outcome(Attempt attempt) {
            try {
                attempt.run();
                return "nothing was thrown";
            } catch (CuframesException e) {
                return e.getClass().getSimpleName() + " " + e.code() + " " + e.getMessage();
            } catch (Throwable t) {
                return t.toString();
            }
        }
    }
}
