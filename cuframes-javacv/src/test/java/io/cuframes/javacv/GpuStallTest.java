// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.StandInTest;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A GPU that hangs for a while, is short of memory for a while, or is lost, while a source publishes what it decodes. */
@StandInTest
@Timeout(180)
class GpuStallTest {
    private static final int LOST = 700;
    private static final int FRAMES = 12;

    @TempDir
    private Path directory;

    private final String key = "javacv-stall-" + ProcessHandle.current().pid();
    private final HardwareDouble hardware = new HardwareDouble();
    private final SourceNews news = new SourceNews();
    private Path clip;

    @BeforeEach
    void makeAClip() {
        clip = Clips.make(directory.resolve("clip.mp4"), "libx264", FRAMES);
    }

    @AfterEach
    void freeTheSurface() {
        hardware.close();
    }

    private VideoSource.Builder source() {
        return VideoSource.builder(clip.toString())
                .decoder(VideoSource.Decoder.NVDEC)
                .hardware(hardware::open)
                .listener(news);
    }

    private Publisher publisher(FrameFormat format, int device) {
        return Publisher.builder(key)
                .size(format.width(), format.height())
                .color(format.color())
                .transport(Transport.CUDA_IPC)
                .device(device)
                .socketDirectory(directory)
                .open();
    }

    private static <T> CompletableFuture<T> inBackground(Callable<T> task) {
        CompletableFuture<T> future = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                future.complete(task.call());
            } catch (Throwable t) {
                future.completeExceptionally(t);
            }
        });
        return future;
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - deadline < 0, "not within 60 s: " + what);
            Thread.sleep(10);
        }
    }

    private boolean isStalled() {
        return news.lines().stream().anyMatch(line -> line.startsWith("stalled: the GPU has not copied"));
    }

    /** Publishes all that is left; how many frames that is. */
    private static int drain(VideoSource source, Publisher publisher) {
        int frames = 0;
        VideoSource.Status status = source.publishNext(publisher);
        while (status != VideoSource.Status.END) {
            frames += status == VideoSource.Status.PUBLISHED ? 1 : 0;
            status = source.publishNext(publisher);
        }
        return frames;
    }

    @Test
    void aGpuThatHangsIsWaitedForAndThatIsSaidOnce() throws Exception {
        try (VideoSource source = source().open();
                Publisher publisher = publisher(source.format(), 0)) {
            CompletableFuture<VideoSource.Status> next;
            try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
                assertEquals(VideoSource.Status.PUBLISHED, source.publishNext(publisher));
                next = inBackground(() -> source.publishNext(publisher));
                await("it is said", this::isStalled);
                Thread.sleep(3000); // longer than the patience once more: it is not said again
                assertFalse(next.isDone());
                assertEquals(1, news.lines().size(), news.lines().toString());
            }
            assertEquals(VideoSource.Status.PUBLISHED, next.get(60, TimeUnit.SECONDS));
            assertEquals("resumed", news.lines().getLast());
            assertEquals(FRAMES - 2, drain(source, publisher), "no frame is lost");
            assertEquals(2, news.lines().size(), news.lines().toString());
        }
    }

    @Test
    void aStopEndsTheWaitForAGpuThatHangs() throws Exception {
        try (VideoSource source = source().open()) {
            try (Publisher publisher = publisher(source.format(), 0)) {
                CompletableFuture<VideoSource.Status> next;
                try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
                    assertEquals(VideoSource.Status.PUBLISHED, source.publishNext(publisher));
                    next = inBackground(() -> source.publishNext(publisher));
                    await("it is said", this::isStalled);
                    source.interrupt();
                    assertEquals(VideoSource.Status.END, next.get(60, TimeUnit.SECONDS));
                }
            }
        }
    }

    @Test
    void aSourceIsClosedWhileItsGpuHangs() throws Exception {
        VideoSource source = source().open();
        try (Publisher publisher = publisher(source.format(), 0)) {
            try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
                assertEquals(VideoSource.Status.PUBLISHED, source.publishNext(publisher));
                CompletableFuture<VideoSource.Status> next = inBackground(() -> source.publishNext(publisher));
                await("it is said", this::isStalled);
                source.close(); // from another thread than the one that waits
                assertEquals(VideoSource.Status.END, next.get(60, TimeUnit.SECONDS));
                source.close();
                assertTrue(hasThread("cuframes-late-frame"), "the frame is kept while the GPU may read it");
            }
            await("the frame is freed once it is copied", () -> !hasThread("cuframes-late-frame"));
        }
    }

    private static boolean hasThread(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals(name));
    }

    @Test
    void aLostContextEndsTheSourceThoughTheGpuOnlySeemsToHang() throws Exception {
        hardware.watchesContext = true;
        VideoSource source = source().open();
        Publisher publisher = publisher(source.format(), 0);
        try (CudaStandIn.Hold hold = new CudaStandIn.Hold()) {
            assertEquals(VideoSource.Status.PUBLISHED, source.publishNext(publisher));
            CompletableFuture<VideoSource.Status> next = inBackground(() -> source.publishNext(publisher));
            await("it is said", this::isStalled);
            CudaStandIn.loseDevice(LOST);
            ExecutionException thrown = assertThrows(ExecutionException.class, () -> next.get(60, TimeUnit.SECONDS));
            CudaException lost = assertInstanceOf(CudaException.class, thrown.getCause());
            assertTrue(lost.isContextLost(), lost.getMessage());
            assertFalse(lost.isPassing());
        }
        source.close();
        source.close();
        closeWithoutGpu(publisher);
    }

    /** Of a GPU that is lost nothing can be given back. */
    private static void closeWithoutGpu(Publisher publisher) {
        try {
            publisher.close();
        } catch (CudaException e) {
            assertTrue(e.isContextLost(), e.getMessage());
        }
    }

    @Test
    void memoryThatIsShortForAWhileCostsFramesAlone() throws Exception {
        try (VideoSource source = source().open();
                Publisher publisher = publisher(source.format(), 0)) {
            assertEquals(VideoSource.Status.PUBLISHED, source.publishNext(publisher));
            hardware.copyFailure = new CudaException("cuMemcpy2DAsync", 2, "the GPU is out of memory");
            hardware.copyFailures.set(3);
            for (int i = 0; i < 3; i++) {
                assertEquals(VideoSource.Status.DROPPED, source.publishNext(publisher));
            }
            assertEquals(FRAMES - 4, drain(source, publisher));
            assertEquals(List.of("stalled: the GPU is out of memory", "resumed"), news.lines());
        }
    }

    @Test
    void whatDoesNotPassEndsTheSource() throws Exception {
        try (VideoSource source = source().open();
                Publisher publisher = publisher(source.format(), 0)) {
            hardware.copyFailure = new CudaException("cuMemcpy2DAsync", LOST, "an illegal address");
            hardware.copyFailures.set(1);
            CudaException thrown = assertThrows(CudaException.class, () -> source.publishNext(publisher));
            assertTrue(thrown.isContextLost());
            assertEquals(List.of(), news.lines());
        }
    }

    @Test
    void aRingOnAnotherDeviceThanTheDecoderIsRefusedAndTheFrameKept() throws Exception {
        try (VideoSource source = source().device(0).open()) {
            try (Publisher publisher = publisher(source.format(), 1)) {
                CuframesException refused = assertThrows(CuframesException.class, () -> source.publishNext(publisher));
                assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
                assertTrue(refused.getMessage().contains("NVDEC decodes on device 0"), refused.getMessage());
                assertTrue(refused.getMessage().contains("\"" + key + "\" is on device 1"), refused.getMessage());
                assertEquals(0, publisher.published());
                assertEquals(1, publisher.device());
            }
            try (Publisher publisher = publisher(source.format(), 0)) {
                assertEquals(FRAMES, drain(source, publisher));
            }
        }
    }
}
