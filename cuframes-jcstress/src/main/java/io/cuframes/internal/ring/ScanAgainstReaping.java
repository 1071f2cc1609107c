// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import io.cuframes.internal.protocol.ControlDescriptor;
import io.cuframes.internal.protocol.Shared;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * The writer looks at the leases while the server reaps a reader that died and unmaps its page: never a look at a page that is gone. Here a page that
 * is gone shows a lease. Rests on the fences of ReaderSet.beginScan and remove, and on remove's wait.
 */
@JCStressTest
@Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "The page is not there, or still mapped.")
@Outcome(id = "1", expect = Expect.FORBIDDEN, desc = "The writer looks at an unmapped page.")
@State
public class ScanAgainstReaping {
    private final ReaderSet readers = new ReaderSet();
    private final ControlPage page;

    public ScanAgainstReaping() {
        MemorySegment control = Places.control(Places.next());
        page = Places.page(control, new Unmapping(control));
        readers.add(page);
    }

    @Actor
    public void write(I_Result result) {
        readers.beginScan();
        for (ControlPage each : readers.pages()) {
            result.r1 |= each.leases(0) ? 1 : 0;
        }
        readers.endScan();
    }

    @Actor
    public void reap() {
        readers.remove(page);
        page.close();
    }

    /** Marks the page in place of unmapping it, which the JVM would make a point where all threads meet. */
    private record Unmapping(MemorySegment control) implements Arena {
        @Override
        public MemorySegment allocate(long byteSize, long byteAlignment) {
            throw new UnsupportedOperationException();
        }

        @Override
        public MemorySegment.Scope scope() {
            return control.scope();
        }

        @Override
        public void close() {
            Shared.setLongOpaque(control, ControlDescriptor.leaseOffset(0), 1);
        }
    }
}
