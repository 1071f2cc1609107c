// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.SubscriberMode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** The writer takes the slot of the newest frame while a reader takes that frame: never both. Rests on the fences of RingWriter.reclaim and RingReader.lease. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "The writer has the slot.")
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "The reader has the frame.")
@Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "Each made way for the other.")
@Outcome(id = "1, 1", expect = Expect.FORBIDDEN, desc = "The writer overwrites what is read.")
@State
public class LeaseAgainstReuse {
    private final RingWriter writer;
    private final RingReader reader;
    private final int slot;

    public LeaseAgainstReuse() {
        MemorySegment place = Places.next();
        ReaderSet readers = new ReaderSet();
        readers.add(Places.page(Places.control(place), Arena.global()));
        writer = new RingWriter(Places.segment(place), Places.SLOTS, readers);
        reader = new RingReader(
                Places.segment(place), Places.control(place), Places.SLOTS, SubscriberMode.NEWEST_ONLY, Places.TALLY);
        slot = writer.take();
        Places.publish(writer, slot, 0);
    }

    @Actor
    public void write(II_Result result) {
        result.r1 = writer.take(slot) == slot ? 1 : 0;
    }

    @Actor
    public void read(II_Result result) {
        result.r2 = reader.take() != RingReader.NOTHING ? 1 : 0;
    }
}
