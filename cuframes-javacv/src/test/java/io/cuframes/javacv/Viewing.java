// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Transport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A source on the CPU that is played frame by frame, with all that it has shown and told. For one thread. A source that shows nothing more is interrupted
 * after a while, so that the test fails instead of hanging.
 */
final class Viewing implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final SourceNews news = new SourceNews();
    private final VideoSource source;
    private final Path directory;
    private final CountDownLatch over = new CountDownLatch(1);
    private final Thread watchdog;
    private final List<Long> times = new ArrayList<>();
    private final List<Long> numbers = new ArrayList<>();
    private Playback playback;

    static VideoSource.Builder cpu(String url) {
        return VideoSource.builder(url).decoder(VideoSource.Decoder.CPU);
    }

    /** Opens the source; the stream's socket is in a directory. */
    Viewing(VideoSource.Builder builder, Path directory) {
        this.directory = directory;
        source = builder.listener(news).open();
        watchdog = new Thread(this::interruptAfterAll, "viewing watchdog");
        try {
            playback = new Playback(source, directory, Transport.HOST);
        } catch (RuntimeException | Error e) {
            source.close();
            throw e;
        }
        watchdog.start();
    }

    private void interruptAfterAll() {
        try {
            if (!over.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                source.interrupt();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Plays the next frame, with another publisher where it is of another format, or notes the end. */
    VideoSource.Status play() {
        VideoSource.Status status = playback.play();
        if (status == VideoSource.Status.FORMAT_CHANGED) {
            playback.close();
            playback = new Playback(source, directory, Transport.HOST);
            status = playback.play();
        }
        if (status == VideoSource.Status.PUBLISHED) {
            times.add(playback.pts());
            numbers.add(playback.number());
        }
        return status;
    }

    /** Plays so many frames more. */
    void frames(int count) {
        int target = times.size() + count;
        playUntil(() -> times.size() >= target);
    }

    /** Plays until something holds, which is looked at after each frame. */
    void playUntil(BooleanSupplier holds) {
        do {
            assertEquals(VideoSource.Status.PUBLISHED, play(), () -> "after " + numbers + ", told " + news.lines());
        } while (!holds.getAsBoolean());
    }

    /** Plays until the source has come back once, and some frames after that. */
    void playUntilRestored() {
        playUntil(() -> news.lines().contains("restored"));
        frames(10);
    }

    VideoSource source() {
        return source;
    }

    SourceNews news() {
        return news;
    }

    /** Of the frames played so far, ns. */
    List<Long> times() {
        return times;
    }

    /** Stamped into the frames played so far. */
    List<Long> numbers() {
        return numbers;
    }

    boolean lastIsKeyFrame() {
        return playback.keyFrame();
    }

    void assertTimesRise() {
        for (int i = 1; i < times.size(); i++) {
            assertTrue(times.get(i) > times.get(i - 1), "times do not rise: " + times.subList(0, i + 1));
        }
    }

    /** Frames that could be read, at least one, come in order, none twice. */
    void assertNumbersRise() {
        long last = -1;
        for (long number : numbers) {
            if (number >= 0) {
                assertTrue(number > last, () -> "frames come twice or in disorder: " + numbers);
                last = number;
            }
        }
        assertTrue(last >= 0, () -> "no frame could be read: " + numbers);
    }

    void assertNoLoss() {
        assertEquals(List.of(), news.lines());
    }

    /** It was lost first, and came back in the end. */
    void assertLostAndRestored() {
        List<String> lines = news.lines();
        assertTrue(lines.getFirst().startsWith("lost: "), lines::toString);
        assertEquals("restored", lines.getLast());
    }

    @Override
    public void close() {
        over.countDown();
        playback.close();
        source.close();
    }
}
