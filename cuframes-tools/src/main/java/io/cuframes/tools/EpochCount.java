// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PublisherGoneException;

/** What was read of one epoch: one publisher, with one format. For one thread. */
final class EpochCount {
    private final long epoch;
    private final FrameFormat format;
    private long frames;
    private long gaps;
    private long damaged;
    private long firstSeq;
    private long lastSeq;
    private PublisherGoneException.Reason end;

    EpochCount(long epoch, FrameFormat format) {
        this.epoch = epoch;
        this.format = format;
    }

    void count(Frame frame) {
        if (frames == 0) {
            firstSeq = frame.seq();
        }
        lastSeq = frame.seq();
        frames++;
        gaps += frame.missed();
        damaged += frame.isDamaged() ? 1 : 0;
    }

    void end(PublisherGoneException.Reason reason) {
        end = reason;
    }

    String name() {
        return io.cuframes.Cuframes.epochText(epoch);
    }

    JsonLine json() {
        return JsonLine.begin()
                .put("epoch", name())
                .put("format", format.pixelFormat().name())
                .put("width", format.width())
                .put("height", format.height())
                .put("frames", frames)
                .put("gaps", gaps)
                .put("damaged", damaged)
                .put("first_seq", firstSeq)
                .put("last_seq", lastSeq)
                .put("end", end == null ? null : end.name())
                .end();
    }
}
