// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.PublishPolicy;
import io.cuframes.Transport;
import io.cuframes.javacv.TestPatternWriter;
import io.cuframes.javacv.VideoSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever ends a camera's thread is that camera's failure, in its report and in the exit status. */
@Timeout(120)
class CameraErrorTest {
    @TempDir
    Path directory;

    /** The signal's hook waits for a command at the end of the process, and here is none. */
    @AfterAll
    static void noCommandRuns() {
        StopSignal.get().finish(ExitStatus.FINE);
    }

    private final String prefix = "camera-error-" + ProcessHandle.current().pid();

    static List<Supplier<Error>> errors() {
        return List.of(
                () -> new StackOverflowError("too deep"),
                () -> new AssertionError("it cannot be"),
                () -> new ExceptionInInitializerError("a class does not load"),
                () -> new OutOfMemoryError("no memory"),
                () -> new Error("whatever"));
    }

    private CameraSettings.Draft draft() {
        CameraSettings.Draft draft = new CameraSettings.Draft();
        draft.ring = 4;
        draft.policy = PublishPolicy.DROP_OLDEST;
        draft.transport = Transport.HOST;
        draft.decoder = VideoSource.Decoder.CPU;
        draft.rtspTransport = VideoSource.RtspTransport.TCP;
        draft.maxSubscribers = 4;
        draft.linger = Duration.ZERO;
        return draft;
    }

    /** A setting that cannot be read: the camera's thread meets the error as soon as it begins. */
    private CameraSettings broken(Supplier<Error> error) {
        CameraSettings.Draft draft = draft();
        draft.users = new AbstractList<>() {
            @Override
            public Integer get(int index) {
                throw error.get();
            }

            @Override
            public int size() {
                return 1;
            }
        };
        return draft.of(prefix + "-broken", directory.resolve("clip.mp4").toString());
    }

    private CameraSettings good() {
        Path clip = directory.resolve("clip.mp4");
        try (TestPatternWriter writer = TestPatternWriter.builder(clip.toString())
                .size(320, 192)
                .fps(25)
                .open()) {
            for (int i = 0; i < 5; i++) {
                writer.write();
            }
        }
        return draft().of(prefix + "-good", clip.toString());
    }

    @ParameterizedTest
    @MethodSource("errors")
    void anErrorIsAFailureAndTouchesNoOtherCamera(Supplier<Error> error) throws Exception {
        StopSignal stop = StopSignal.get();
        Camera broken = new Camera(broken(error), directory, stop, false);
        broken.start();
        assertTrue(broken.join(Duration.ofSeconds(60)));
        assertEquals(Camera.State.FAILED, broken.state());
        assertEquals("unexpected " + error.get(), broken.failure());

        CameraFleet fleet = new CameraFleet(List.of(broken(error), good()), directory, stop, new ChildOptions());
        assertEquals(ExitStatus.BROKEN, fleet.run(stop, new CommonOptions()));
        Camera good = new Camera(good(), directory, stop, false);
        good.start();
        assertTrue(good.join(Duration.ofSeconds(60)));
        assertEquals(Camera.State.ENDED, good.state());
        assertEquals(5, good.run().frames());
    }
}
