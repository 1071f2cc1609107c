// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.CuframesException;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.PublishPolicy;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * A publisher in a process of its own, told what to do line by line: {@code publish N} (what finds no slot is dropped; answered
 * once all are announced), {@code slots} (how many can be acquired at a time), {@code stats}, {@code health}
 * (all statistics, as JSON), {@code policy}
 * (what its policy has counted), {@code warnings} (what it has logged), {@code describe} (what it says of itself), {@code await N} (until so many
 * subscribers read), {@code reopen FORMAT WIDTH HEIGHT}, {@code close}. Answers each line with one.
 */
public final class PublisherProcess {
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    /** Held, or it is collected, and its handler with it. */
    private static final Logger LOGGER = Logger.getLogger("io.cuframes");

    private final Warnings warnings;
    private Publisher publisher;
    private FramePattern pattern;

    private PublisherProcess(Publisher publisher, Warnings warnings) {
        this.warnings = warnings;
        use(publisher);
    }

    private void use(Publisher opened) {
        publisher = opened;
        pattern = new FramePattern(opened.format());
    }

    /** Arguments: key, socket directory or "-" for the usual places, transport, slots, width, height; and policy, wait timeout, grace period in ms. */
    public static void main(String[] args) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Warnings warnings = new Warnings();
        LOGGER.addHandler(warnings);
        Publisher.Builder builder = Publisher.builder(args[0])
                .socketDirectory(args[1].equals("-") ? null : Path.of(args[1]))
                .transport(Transport.valueOf(args[2]))
                .slots(Integer.parseInt(args[3]))
                .size(Integer.parseInt(args[4]), Integer.parseInt(args[5]));
        if (args.length > 6) {
            builder.policy(PublishPolicy.valueOf(args[6]))
                    .waitTimeout(Duration.ofMillis(Long.parseLong(args[7])))
                    .gracePeriod(Duration.ofMillis(Long.parseLong(args[8])));
        }
        try {
            PublisherProcess process = new PublisherProcess(builder.open(), warnings);
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
            case "policy" -> "policy " + publisher.refused() + " " + publisher.stalled();
            case "describe" -> publisher.describe();
            case "warnings" -> "warnings " + warnings;
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

    /** What the library logs at WARNING and above. */
    private static final class Warnings extends Handler {
        private final List<String> texts = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void publish(LogRecord entry) {
            if (entry.getLevel().intValue() >= Level.WARNING.intValue()) {
                texts.add(entry.getMessage());
            }
        }

        @Override
        public void flush() {
            // Nothing is on its way.
        }

        @Override
        public void close() {
            // Holds nothing.
        }

        @Override
        public String toString() {
            return texts.toString();
        }
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
