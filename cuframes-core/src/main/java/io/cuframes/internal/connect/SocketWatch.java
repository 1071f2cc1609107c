// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import java.util.concurrent.TimeUnit;

/**
 * Looks once a second whether the key's name still leads to the publisher's socket, and makes it again where it does not (docs/protocol.md, section
 * 10). A name in a file system vanishes without a word: what cleans up old files, the end of a service that a RuntimeDirectory belongs to, or rm. For
 * the server's thread alone; does not wait.
 */
final class SocketWatch {
    private static final System.Logger LOG = System.getLogger(SocketWatch.class.getName());

    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How often the same trouble is logged. */
    private static final long REMINDER_NANOS = TimeUnit.MINUTES.toNanos(5);

    private final StreamKey key;
    private final Access access;

    private long last = System.nanoTime();
    private String trouble = "";
    private long troubleLogged;

    SocketWatch(StreamKey key, Access access) {
        this.key = key;
        this.access = access;
    }

    /** How long until the next look is due; 0 if it is. */
    long nanosLeft(long now) {
        return Math.max(0, INTERVAL_NANOS - (now - last));
    }

    /**
     * Looks, if that is due.
     *
     * @param listener the socket that has the name, as far as is known
     * @return the socket that has the name now, in place of that one, which its owner is to close; null where there is nothing to be changed, or
     *     nothing can be
     */
    ListeningSocket look(ListeningSocket listener) {
        long now = System.nanoTime();
        if (nanosLeft(now) > 0) {
            return null;
        }
        last = now;
        String loss = listener.loss();
        if (loss == null) {
            trouble = "";
            return null;
        }
        try {
            Faults.reach(FaultPoint.SOCKET_LOST);
            OpenedPlace place = SocketDirectory.openAgain(listener.place(), access);
            ListeningSocket again = ListeningSocket.openAtOnce(key, place, access);
            trouble = "";
            LOG.log(
                    System.Logger.Level.WARNING,
                    () -> "the socket " + again.name() + " " + loss
                            + ": it is made again, and readers that were connected stay so; see what removes it"
                            + " (systemd-tmpfiles, the end of a service with that RuntimeDirectory=, rm)");
            return again;
        } catch (CuframesException e) {
            report(now, listener, loss, e);
            return null;
        }
    }

    private void report(long now, ListeningSocket listener, String loss, CuframesException e) {
        String text = loss + ": " + e.getMessage();
        if (text.equals(trouble) && now - troubleLogged < REMINDER_NANOS) {
            return;
        }
        trouble = text;
        troubleLogged = now;
        LOG.log(
                System.Logger.Level.WARNING,
                () -> "the socket " + listener.name() + " " + loss + ", and cannot be made again now: " + e.getMessage()
                        + "; readers that are connected stay so, others do not find \"" + key
                        + "\"; it is tried again every second");
    }
}
