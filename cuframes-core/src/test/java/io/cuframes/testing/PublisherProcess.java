// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.CuframesException;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A publisher in a process of its own, told what to do line by line: {@code publish N} (what finds no slot is dropped; answered
 * once all are announced), {@code slots} (how many can be acquired at a time), {@code stats}, {@code health}
 * (all statistics, as JSON), {@code await N} (until so many subscribers read), {@code reopen FORMAT WIDTH HEIGHT}, {@code close}.
 * Answers each line with one.
 */
public final class PublisherProcess {
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private Publisher publisher;
    private FramePattern pattern;

    private PublisherProcess(Publisher publisher) {
        use(publisher);
    }

    private void use(Publisher opened) {
        publisher = opened;
        pattern = new FramePattern(opened.format());
    }

    /** Arguments: key, socket directory, transport, slots, width, height. */
    public static void main(String[] args) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try {
            PublisherProcess process = new PublisherProcess(Publisher.builder(args[0])
                    .socketDirectory(Path.of(args[1]))
                    .transport(Transport.valueOf(args[2]))
                    .slots(Integer.parseInt(args[3]))
                    .size(Integer.parseInt(args[4]), Integer.parseInt(args[5]))
                    .open());
            say("ready " + process.publisher.transport());
            try {
                for (String line = commands.readLine();
                        line != null && !line.equals("close");
                        line = commands.readLine()) {
                    say(process.obey(line.split(" ", -1)));
                }
            } finally {
                process.publisher.close();
            }
        } catch (CuframesException e) {
            say("error " + e.code() + " " + e.getMessage());
        }
    }

    private String obey(String[] words) {
        return switch (words[0]) {
            case "publish" -> "published " + publish(Integer.parseInt(words[1]));
            case "slots" -> "slots " + countSlots();
            case "stats" ->
                "stats " + publisher.subscribers() + " " + publisher.published() + " " + publisher.dropped();
            case "health" -> publisher.stats().toJson();
            case "await" -> "subscribers " + await(Integer.parseInt(words[1]));
            case "reopen" ->
                "reopened "
                        + reopen(PixelFormat.valueOf(words[1]), Integer.parseInt(words[2]), Integer.parseInt(words[3]));
            default -> throw new IllegalArgumentException(words[0]);
        };
    }

    private long publish(int count) {
        for (int i = 0; i < count; i++) {
            try (WritableFrame frame = publisher.acquire()) {
                if (frame != null) {
                    long seq = publisher.published() + 1;
                    pattern.write(frame, seq);
                    frame.publish(seq * 40_000_000);
                }
            }
        }
        while (publisher.announced() < publisher.published()) { // the GPU does it later
            Thread.onSpinWait();
        }
        return publisher.published();
    }

    private int countSlots() {
        List<WritableFrame> frames = new ArrayList<>();
        for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
            frames.add(frame);
        }
        frames.forEach(WritableFrame::close);
        return frames.size();
    }

    private int await(int subscribers) {
        long start = System.nanoTime();
        while (publisher.subscribers() != subscribers && System.nanoTime() - start < PATIENCE_NANOS) {
            Thread.onSpinWait();
        }
        return publisher.subscribers();
    }

    private String reopen(PixelFormat format, int width, int height) {
        use(publisher.reopen(
                FrameFormat.of(format, width, height, publisher.format().color())));
        return format + " " + width + "x" + height;
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
