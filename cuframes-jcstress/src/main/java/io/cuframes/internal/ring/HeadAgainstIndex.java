// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.SubscriberMode;
import io.cuframes.internal.protocol.HeadWord;
import java.lang.foreign.MemorySegment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/** A frame that the head names is found in the index ring, and its metadata is whole. Rests on the order of the stores in RingWriter.name and announce. */
@JCStressTest
@Outcome(id = "0, 0, -1", expect = Expect.ACCEPTABLE, desc = "Nothing announced yet.")
@Outcome(id = "0, 1, 7", expect = Expect.ACCEPTABLE, desc = "Announced after the look at the head.")
@Outcome(id = "1, 1, 7", expect = Expect.ACCEPTABLE, desc = "Announced, and whole.")
@Outcome(expect = Expect.FORBIDDEN, desc = "Announced, and not there or not whole.")
@State
public class HeadAgainstIndex {
    private static final long PTS = 7;

    private final RingWriter writer;
    private final RingReader reader;
    private final int slot;

    public HeadAgainstIndex() {
        MemorySegment place = Places.next();
        writer = new RingWriter(Places.segment(place), Places.SLOTS, new ReaderSet());
        reader = new RingReader(
                Places.segment(place), Places.control(place), Places.SLOTS, SubscriberMode.STRICT_ORDER, Places.TALLY);
        slot = writer.take();
    }

    @Actor
    public void write() {
        Places.publish(writer, slot, PTS);
    }

    @Actor
    public void read(JJJ_Result result) {
        result.r1 = HeadWord.seq(reader.head());
        long word = reader.take();
        result.r2 = HeadWord.seq(word);
        result.r3 = word == RingReader.NOTHING ? -1 : reader.ptsNanos(HeadWord.slot(word));
    }
}
