// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.internal.protocol.SegmentHeader;
import io.cuframes.internal.ring.ControlPage;
import java.util.List;
import java.util.Objects;

/** What can be told of a publisher at any time by any thread, without touching what its writer works with. */
final class PublisherHealth {
    private final SegmentHeader header;
    private final PublisherParts parts;
    private final long openedNanos = System.nanoTime();

    /** What there was to tell at the end; null until then. Guarded by this, as is reading the segment. */
    private PublisherStats last;

    PublisherHealth(PublisherParts parts) {
        this.header = parts.header();
        this.parts = parts;
    }

    synchronized PublisherStats stats() {
        return last == null ? read() : last;
    }

    /** Keeps what there is to tell: the segment is about to be unmapped. */
    synchronized void end() {
        last = read();
    }

    private PublisherStats read() {
        int slots = header.ring().slots();
        long announced = parts.writer().announced(); // before what it is at most
        long published = parts.writer().published();
        List<ControlPage> pages = parts.readers().snapshot();
        long leased = 0;
        for (ControlPage page : pages) {
            leased |= page.leasedSlots(slots);
        }
        return new PublisherStats(
                header.key(),
                header.epoch(),
                header.ring().transport(),
                header.policy(),
                header.format(),
                slots,
                System.nanoTime() - openedNanos,
                published,
                announced,
                parts.writer().damaged(),
                parts.writer().dropped(),
                parts.writer().refused(),
                parts.writer().stalled(),
                Long.bitCount(leased),
                pages.stream()
                        .map(page -> page.lag(published, slots, parts.segment().memory()))
                        .filter(Objects::nonNull)
                        .toList());
    }
}
