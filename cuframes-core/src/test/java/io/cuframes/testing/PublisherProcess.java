// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.CuframesException;
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
 * A publisher in a process of its own, told what to do line by line: {@code publish N} (what finds no slot is dropped; answered once all are announced), {@code slots} (how many can be acquired at a time), {@code stats}, {@code close}. Answers each line with one.
 */
public final class PublisherProcess {
    private PublisherProcess() {}

    /** Arguments: key, socket directory, transport, slots, width, height. */
    public static void main(String[] args) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Publisher publisher = Publisher.builder(args[0])
                .socketDirectory(Path.of(args[1]))
                .transport(Transport.valueOf(args[2]))
                .slots(Integer.parseInt(args[3]))
                .size(Integer.parseInt(args[4]), Integer.parseInt(args[5]))
                .open()) {
            FramePattern pattern = new FramePattern(publisher.format());
            say("ready " + publisher.transport());
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case "publish" -> say("published " + publish(publisher, pattern, Integer.parseInt(words[1])));
                    case "slots" -> say("slots " + countSlots(publisher));
                    case "stats" ->
                        say("stats " + publisher.subscribers() + " " + publisher.published() + " "
                                + publisher.dropped());
                    case "close" -> {
                        return;
                    }
                    default -> throw new IllegalArgumentException(line);
                }
            }
        } catch (CuframesException e) {
            say("error " + e.code() + " " + e.getMessage());
        }
    }

    private static long publish(Publisher publisher, FramePattern pattern, int count) {
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

    private static int countSlots(Publisher publisher) {
        List<WritableFrame> frames = new ArrayList<>();
        for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
            frames.add(frame);
        }
        frames.forEach(WritableFrame::close);
        return frames.size();
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
