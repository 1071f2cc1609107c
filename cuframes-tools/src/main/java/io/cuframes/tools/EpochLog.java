// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import java.util.ArrayDeque;
import java.util.Deque;

/** The epochs that a reader has seen come and go, each with its counts; says so when one is lost and when the next is there. For one thread. */
final class EpochLog implements Subscriber.Listener {
    /** A reader may run for months, and its publisher be started again each minute. */
    private static final int KEPT = 100;

    private final String key;
    private final boolean json;
    private final Deque<EpochCount> epochs = new ArrayDeque<>();
    private long losses;

    EpochLog(String key, boolean json) {
        this.key = key;
        this.json = json;
    }

    void begin(long epoch, FrameFormat format) {
        if (epochs.size() == KEPT) {
            epochs.remove();
        }
        epochs.add(new EpochCount(epoch, format));
    }

    void count(Frame frame) {
        epochs.getLast().count(frame);
    }

    @Override
    public void disconnected(long epoch, PublisherGoneException.Reason reason, String text) {
        losses++;
        epochs.getLast().end(reason);
        if (json) {
            System.out.println(event("lost").put("reason", reason.name()).end());
        }
        Console.standardError().line("lost: " + text + "; looking for the next publisher");
    }

    @Override
    public void reconnected(long epoch, int attempts, FrameFormat format) {
        begin(epoch, format);
        if (json) {
            System.out.println(event("connected").put("attempts", attempts).end());
        }
        Console.standardError()
                .line("back: \"" + key + "\" is published again, " + format.pixelFormat() + " " + format.width() + "x"
                        + format.height() + ", epoch " + epochs.getLast().name());
    }

    private JsonLine event(String name) {
        return JsonLine.begin()
                .put("event", name)
                .put("key", key)
                .put("epoch", epochs.getLast().name());
    }

    /** How often a publisher was lost. */
    long losses() {
        return losses;
    }

    /** Adds the latest epochs, the last one last. */
    void putInto(JsonLine line) {
        line.beginArray("epochs");
        epochs.forEach(epoch -> line.element(epoch.json().toString()));
        line.endArray();
    }
}
