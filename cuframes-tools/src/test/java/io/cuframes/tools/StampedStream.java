// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Plane;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.javacv.FrameStamp;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Instant;
import java.util.function.LongUnaryOperator;

/** A publisher of stamped frames in host memory. */
final class StampedStream implements AutoCloseable {
    static final int WIDTH = 320;
    static final int HEIGHT = 192;

    private Publisher publisher;
    private long number;
    private long damagedEvery;

    StampedStream(String key, Path socketDirectory, int slots) {
        publisher = Publisher.builder(key)
                .size(WIDTH, HEIGHT)
                .slots(slots)
                .transport(Transport.HOST)
                .socketDirectory(socketDirectory)
                .open();
    }

    /** A process that publishes for ever: key, socket directory, slots. */
    public static void main(String[] arguments) throws Exception {
        StampedStream stream = new StampedStream(arguments[0], Path.of(arguments[1]), 6);
        while (true) {
            stream.publish(1, 20, number -> number);
        }
    }

    /** Waits until so many subscribers are connected. */
    void awaitSubscribers(int count) throws InterruptedException {
        Tool.awaitThat(count + " subscribers", () -> publisher.subscribers() == count);
    }

    /** Goes on with another frame size. */
    void reopen(int width, int height) {
        publisher = publisher.reopen(FrameFormat.of(
                PixelFormat.NV12, width, height, publisher.format().color()));
    }

    /** Publishes a frame that was taken some time ago. */
    void publishTaken(Instant when) {
        number++;
        try (WritableFrame frame = publisher.acquire()) {
            frame.captureTimeNanos(when.getEpochSecond() * 1_000_000_000 + when.getNano());
            frame.publish(number * 1_000_000);
        }
    }

    /** Marks each frame that is published from here on whose number is a multiple of that; 0 for none. */
    void damageEvery(long newDamagedEvery) {
        damagedEvery = newDamagedEvery;
    }

    /** Publishes frames, one every so many milliseconds, each with what the stamping makes of its number, from 1. */
    void publish(int frames, long everyMillis, LongUnaryOperator stamping) throws InterruptedException {
        for (int i = 0; i < frames; i++) {
            number++;
            try (WritableFrame frame = publisher.acquire()) {
                Plane luma = frame.plane(0);
                FrameStamp.write(
                        luma.segment(), luma.pitch(), luma.width(), luma.height(), stamping.applyAsLong(number));
                frame.damaged(damagedEvery > 0 && number % damagedEvery == 0);
                frame.publish(number * 1_000_000);
            }
            Thread.sleep(everyMillis);
        }
    }

    /** Publishes frames, one every 10 ms, until the program has ended. */
    void publishUntilEnd(Tool reader, LongUnaryOperator stamping) throws InterruptedException {
        while (reader.process().isAlive()) {
            publish(1, 10, stamping);
        }
    }

    /** Publishes frames, one every 10 ms, until the program, which must print its progress as JSON, has counted some. */
    void publishUntilCounted(Tool reader) throws Exception {
        while (reader.process().isAlive() && !reader.out().matches("(?s).*\"frames\":[1-9].*")) {
            publish(1, 10, stamp -> stamp);
        }
    }

    /** Publishes a frame whose parts show different numbers, and whose lower bands another than its upper. */
    void publishTorn() {
        number++;
        try (WritableFrame frame = publisher.acquire()) {
            Plane luma = frame.plane(0);
            FrameStamp.write(luma.segment(), luma.pitch(), WIDTH, HEIGHT, number);
            MemorySegment upper = luma.segment().asSlice(0, (long) luma.pitch() * HEIGHT / 2);
            byte[] keep = upper.toArray(ValueLayout.JAVA_BYTE);
            FrameStamp.write(luma.segment(), luma.pitch(), WIDTH, HEIGHT, number - 1);
            MemorySegment.copy(MemorySegment.ofArray(keep), 0, upper, 0, keep.length);
            frame.publish(number * 1_000_000);
        }
    }

    Publisher publisher() {
        return publisher;
    }

    @Override
    public void close() {
        publisher.close();
    }
}
