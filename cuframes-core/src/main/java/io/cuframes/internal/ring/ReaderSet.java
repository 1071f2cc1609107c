// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.ring;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;

/**
 * The control pages of the subscribers a publisher has admitted. The server thread adds and removes; the writer thread scans, without a lock:
 * it marks the time it looks, and {@link #remove} returns only once no scan that could still see the page is under way, so that the page
 * may be unmapped.
 */
public final class ReaderSet {
    private static final VarHandle SCANS;
    private static final VarHandle PAGES;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            SCANS = lookup.findVarHandle(ReaderSet.class, "scans", long.class).withInvokeExactBehavior();
            PAGES = lookup.findVarHandle(ReaderSet.class, "pages", ControlPage[].class)
                    .withInvokeExactBehavior();
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Copied at each change, by the server thread alone. */
    private ControlPage[] pages = new ControlPage[0];

    /** Odd while the writer scans; written by the writer thread alone. */
    private long scans;

    /** Writer: begins a scan. Full fence: whatever the caller stored before comes before whatever it loads from a page. */
    void beginScan() {
        SCANS.setOpaque(this, scans + 1);
        VarHandle.fullFence(); // against remove's: it sees that we scan, or we see the new array
    }

    /** Writer: the pages, within a scan. */
    ControlPage[] pages() {
        return (ControlPage[]) PAGES.getAcquire(this);
    }

    /** Writer: ends a scan. Release: all reads of the pages are done. */
    void endScan() {
        SCANS.setRelease(this, scans + 1);
    }

    /** The pages now, in the order in which they came. From any thread: one may be closed meanwhile, which a {@link ControlPage} says by itself. */
    public List<ControlPage> snapshot() {
        return List.of((ControlPage[]) PAGES.getAcquire(this));
    }

    /** Server: admits a subscriber. From here on its leases count. */
    public void add(ControlPage page) {
        ControlPage[] grown = Arrays.copyOf(pages, pages.length + 1);
        grown[pages.length] = page;
        PAGES.setRelease(this, grown);
    }

    /** Server: forgets a subscriber. When this returns, the writer no longer looks at its page. */
    public void remove(ControlPage page) {
        ControlPage[] shrunk = Arrays.stream(pages).filter(each -> each != page).toArray(ControlPage[]::new);
        PAGES.setRelease(this, shrunk);
        VarHandle.fullFence(); // against beginScan's: it sees the new array, or we see that it scans
        long seen = (long) SCANS.getAcquire(this);
        while ((seen & 1) != 0 && (long) SCANS.getAcquire(this) == seen) {
            Thread.onSpinWait(); // a scan takes some tens of nanoseconds per subscriber
        }
    }
}
