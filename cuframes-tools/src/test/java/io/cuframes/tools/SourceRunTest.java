// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.javacv.VideoSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run whose publishers cannot be opened when they are wanted: now, or at all. */
@Timeout(120)
class SourceRunTest {
    private static final int FRAMES = 5;

    private final CudaException noMemory = new CudaException("cudaMalloc", 2, "no memory for the ring");
    private final CuframesException taken =
            new CuframesException(ErrorCode.ALREADY_EXISTS, "somebody else publishes it");

    @TempDir
    Path directory;

    /** The signal's hook waits for a command at the end of the process, and here is none. */
    @AfterAll
    static void noCommandRuns() {
        StopSignal.get().finish(ExitStatus.FINE);
    }

    private final String key = "source-run-" + ProcessHandle.current().pid();
    private final List<String> news = new ArrayList<>();

    /** What the next publishers fail with, in turn. */
    private final Deque<CuframesException> failures = new ArrayDeque<>();

    private Path clip;

    /** Of two formats, one after the other. */
    @BeforeEach
    void makeAClip() throws Exception {
        clip = TwoFormatClip.make(directory, FRAMES);
    }

    private final class Notes implements SourceRun.Watcher {
        @Override
        public void opened(SourceRun run) {
            news.add("opened " + run.publisher().format().width());
        }

        @Override
        public void waiting(SourceRun run, String reason, Duration retryIn) {
            news.add("waiting " + retryIn.toMillis() + " ms: " + reason);
        }

        @Override
        public void turned(SourceRun run) {
            // one phase
        }

        @Override
        public void offered(SourceRun run) {
            // counted by the run
        }
    }

    private Publisher open(FrameFormat format) {
        CuframesException failure = failures.poll();
        if (failure != null) {
            throw failure;
        }
        return Publisher.builder(key)
                .size(format.width(), format.height())
                .color(format.color())
                .transport(Transport.HOST)
                .socketDirectory(directory)
                .open();
    }

    private SourceRun run(VideoSource source, boolean patient) {
        CameraSettings.Draft draft = new CameraSettings.Draft();
        draft.linger = Duration.ZERO;
        Demand demand = Demand.of(draft.of(key, clip.toString()), () -> false);
        return new SourceRun(source, this::open, 0, demand, new Notes(), patient);
    }

    private VideoSource source() {
        return VideoSource.builder(clip.toString())
                .decoder(VideoSource.Decoder.CPU)
                .open();
    }

    @Test
    void aPatientRunTriesItsFirstPublisherUntilThereIsMemory() {
        failures.addAll(List.of(noMemory, noMemory));
        try (VideoSource source = source()) {
            SourceRun run = run(source, true);
            run.run(StopSignal.get());
            assertEquals(2 * FRAMES, run.frames(), "no frame is lost: the source waits, too");
            assertEquals(
                    List.of(
                            "waiting 500 ms: no memory for the ring",
                            "waiting 1000 ms: no memory for the ring",
                            "opened 320",
                            "opened 640"),
                    news);
        }
    }

    @Test
    void anotherRunSaysSoAtOnce() {
        failures.add(noMemory);
        try (VideoSource source = source()) {
            SourceRun run = run(source, false);
            assertSame(noMemory, assertThrows(CudaException.class, () -> run.run(StopSignal.get())));
            assertNull(run.publisher());
            assertEquals(List.of(), news);
        }
    }

    @Test
    void whatTurnsFinalWhileItIsTriedEndsTheRun() {
        failures.addAll(List.of(noMemory, taken));
        try (VideoSource source = source()) {
            SourceRun run = run(source, true);
            assertSame(taken, assertThrows(CuframesException.class, () -> run.run(StopSignal.get())));
            assertTrue(news.getFirst().startsWith("waiting 500 ms"), news.toString());
        }
    }
}
