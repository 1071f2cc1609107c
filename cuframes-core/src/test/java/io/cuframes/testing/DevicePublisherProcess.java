// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

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
 * A publisher in a process of its own whose frames are in device memory already: {@code queue N} queues copies and announcements of N frames on
 * two streams by turns and answers without waiting for the GPU. {@code close} ends it.
 */
public final class DevicePublisherProcess {
    private DevicePublisherProcess() {}

    /** Arguments: key, socket directory, slots, width, height, transport. */
    public static void main(String[] args) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        List<DeviceFrame> sources = new ArrayList<>();
        try (DeviceStream first = new DeviceStream();
                DeviceStream second = new DeviceStream();
                Publisher publisher = Publisher.builder(args[0])
                        .socketDirectory(Path.of(args[1]))
                        .transport(Transport.valueOf(args[5]))
                        .slots(Integer.parseInt(args[2]))
                        .size(Integer.parseInt(args[3]), Integer.parseInt(args[4]))
                        .open()) {
            System.out.println("ready " + publisher.transport());
            for (String line = commands.readLine();
                    line != null && line.startsWith("queue ");
                    line = commands.readLine()) {
                load(publisher, sources, Integer.parseInt(line.substring("queue ".length())));
                queue(publisher, sources, first.handle(), second.handle());
                System.out.println("queued " + publisher.published());
            }
        }
        sources.forEach(DeviceFrame::close);
    }

    private static void load(Publisher publisher, List<DeviceFrame> sources, int count) {
        FramePattern pattern = new FramePattern(publisher.format());
        for (int i = 0; i < count; i++) {
            DeviceFrame source = new DeviceFrame(publisher.format());
            sources.add(source.load(pattern.pixels(sources.size() + 1)));
        }
    }

    /** Publishes all that is not published yet; a frame's number is its seq. */
    private static void queue(Publisher publisher, List<DeviceFrame> sources, long even, long odd) {
        while (publisher.published() < sources.size()) {
            long seq = publisher.published() + 1;
            long stream = seq % 2 == 0 ? even : odd;
            try (WritableFrame frame = publisher.acquire()) {
                sources.get((int) seq - 1).queueInto(frame, stream);
                frame.publish(stream, seq * 40_000_000);
            }
        }
    }
}
