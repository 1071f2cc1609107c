// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.Backoff;
import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.DevicePtr;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.ffm.LibCuda;
import io.cuframes.internal.cuda.Cuda;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * A subscriber in a process of its own, told what to do line by line: {@code read N} (checks every pixel), {@code until SEQ} (reads until that
 * frame), {@code slowly SEQ MS} (the same, keeping each frame for so long), {@code hold N} (keeps the next N), {@code check} (looks at those held
 * once more), {@code drop} (closes those held), {@code write} (tries to write into the first of those held, in device memory, and says what the
 * driver thinks of it), {@code timeout N} (asks N times for a frame that does not come), {@code health} (all statistics, as JSON), {@code epochs}
 * (says how many frames of which format each epoch had), {@code link} (says how often it has connected anew, and the epoch), {@code async N} (copies
 * N frames to memory of its own on the GPU that reads, leaves their leases to that GPU, and checks every pixel), {@code device} (says on which GPU
 * it reads), {@code gone} (reads until the publisher is gone), {@code close}. Answers each line with one.
 */
public final class SubscriberProcess {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** What came of one incarnation of the stream. */
    private static final class Epoch {
        private final long id;
        private final FrameFormat format;
        private int frames;

        Epoch(Frame first) {
            id = first.epoch();
            format = first.format();
        }

        @Override
        public String toString() {
            return format.pixelFormat() + " " + format.width() + "x" + format.height() + " " + frames;
        }
    }

    private final Subscriber subscriber;
    private final Map<FrameFormat, FramePattern> patterns = new HashMap<>();
    private final List<Epoch> epochs = new ArrayList<>();
    private final List<Frame> held = new ArrayList<>();
    private long faults;
    private long last;
    private boolean ordered = true;

    private SubscriberProcess(Subscriber subscriber) {
        this.subscriber = subscriber;
    }

    /**
     * Arguments: key, socket directory or "-" for the usual places, mode, and "reconnect" where it is to follow the stream from epoch to epoch, "device=N"
     * where it is to read on that GPU.
     */
    public static void main(String[] args) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Subscriber.Builder builder = Subscriber.builder(args[0])
                .socketDirectory(args[1].equals("-") ? null : Path.of(args[1]))
                .mode(SubscriberMode.valueOf(args[2]))
                .name("test");
        for (String option : List.of(args).subList(3, args.length)) {
            if (option.equals("reconnect")) {
                builder.reconnect(Backoff.every(Duration.ofMillis(5)));
            } else {
                builder.device(Integer.parseInt(option.substring("device=".length())));
            }
        }
        try (Subscriber subscriber = builder.open()) {
            SubscriberProcess process = new SubscriberProcess(subscriber);
            say("ready " + subscriber.transport());
            for (String line = commands.readLine(); line != null && !line.equals("close"); line = commands.readLine()) {
                process.obey(line.split(" ", -1));
            }
        } catch (CuframesException e) {
            say("error " + e.code() + " " + e.getMessage());
        }
    }

    private void obey(String[] words) {
        switch (words[0]) {
            case "read" -> read(Long.parseLong(words[1]), Long.MAX_VALUE, 0);
            case "until" -> read(Long.MAX_VALUE, Long.parseLong(words[1]), 0);
            case "slowly" -> read(Long.MAX_VALUE, Long.parseLong(words[1]), Long.parseLong(words[2]));
            case "hold" -> hold(Integer.parseInt(words[1]));
            case "check" -> check();
            case "drop" -> drop();
            case "write" -> say("wrote " + write(held.getFirst(), subscriber.deviceOrdinal()));
            case "async" -> async(Integer.parseInt(words[1]));
            case "device" -> say("device " + subscriber.describe());
            case "link" -> say("link " + subscriber.reconnects() + " " + subscriber.epoch());
            case "epochs" ->
                say("epochs " + epochs.stream().map(Epoch::toString).collect(Collectors.joining(", ")));
            case "timeout" -> timeOut(Integer.parseInt(words[1]));
            case "health" -> say(subscriber.stats().toJson());
            case "gone" -> gone();
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    /** By a fill, by a copy and by a word that a stream writes: their statuses. */
    private static String write(Frame frame, int device) {
        long address = frame.plane(0).pointer().address();
        long previous = Cuda.useDevice(device);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocate(64);
            int fill = LibCuda.cuMemsetD8_v2(address, 0xee, 64);
            int copy = attempt(() -> Cuda.copyRows(address, 64, source.address(), 64, 64, 1, 0));
            int word = LibCuda.cuStreamWriteValue32_v2(0, address, -1, LibCuda.CU_STREAM_WRITE_VALUE_DEFAULT);
            return fill + " " + copy + " " + (word == 0 ? LibCuda.cuStreamSynchronize(0) : word);
        } finally {
            Cuda.restoreDevice(previous, device);
        }
    }

    private static int attempt(Runnable call) {
        try {
            call.run();
            return LibCuda.cuStreamSynchronize(0);
        } catch (CudaException e) {
            return e.status();
        }
    }

    private void read(long count, long untilSeq, long keepMillis) {
        for (long i = 0; i < count && last < untilSeq; i++) {
            try (Frame frame = subscriber.next(PATIENCE)) {
                if (frame == null) {
                    break;
                }
                LockSupport.parkNanos(keepMillis * 1_000_000);
                look(frame);
            }
        }
        report();
    }

    private void look(Frame frame) {
        if (epochs.isEmpty() || epochs.getLast().id != frame.epoch()) {
            epochs.add(new Epoch(frame));
            last = 0;
        }
        Epoch epoch = epochs.getLast();
        epoch.frames++;
        ordered &= frame.seq() > last && frame.ptsNanos() == frame.seq() * 40_000_000;
        last = frame.seq();
        if (!frame.format().equals(epoch.format) || isDamaged(frame)) {
            faults++;
        }
    }

    private boolean isDamaged(Frame frame) {
        FramePattern pattern = patterns.computeIfAbsent(frame.format(), FramePattern::new);
        return pattern.firstFault(frame, frame.seq()) >= 0;
    }

    private void async(int count) {
        int device = subscriber.deviceOrdinal();
        long previous = Cuda.useDevice(device);
        try (Arena arena = Arena.ofConfined();
                DeviceStream stream = new DeviceStream();
                DeviceFrame copy = new DeviceFrame(subscriber.format())) {
            MemorySegment pixels = arena.allocate(subscriber.format().frameBytes());
            FramePattern pattern = new FramePattern(subscriber.format());
            for (int i = 0; i < count; i++) {
                Frame frame = subscriber.next(PATIENCE);
                if (frame == null) {
                    break;
                }
                last = frame.seq();
                copy.queueFrom(
                        new DevicePtr(frame.plane(0).pointer().address()
                                - frame.plane(0).offset()),
                        stream.handle());
                frame.closeOn(stream.handle());
                stream.await();
                faults += pattern.firstFault(copy.store(pixels), last) >= 0 ? 1 : 0;
            }
        } finally {
            Cuda.restoreDevice(previous, device);
        }
        report();
    }

    private void hold(int count) {
        for (int i = 0; i < count; i++) {
            Frame frame = subscriber.next(PATIENCE);
            look(frame);
            held.add(frame);
        }
        report();
    }

    private void check() {
        for (Frame frame : held) {
            if (isDamaged(frame)) {
                faults++;
            }
        }
        report();
    }

    private void drop() {
        held.forEach(Frame::close);
        held.clear();
        report();
    }

    private void timeOut(int count) {
        for (int i = 0; i < count; i++) {
            if (subscriber.next(Duration.ofMillis(1)) != null) {
                throw new IllegalStateException("there is a frame");
            }
        }
        report();
    }

    private void gone() {
        say("waiting");
        try {
            while (true) {
                try (Frame frame = subscriber.next(PATIENCE)) {
                    if (frame != null) {
                        look(frame);
                    }
                }
            }
        } catch (PublisherGoneException e) {
            say("gone " + e.reason() + " " + System.nanoTime() + " " + last);
        }
    }

    private void report() {
        say("read " + subscriber.received() + " " + subscriber.missed() + " " + last + " " + faults + " " + ordered);
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
