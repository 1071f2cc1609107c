// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Publisher;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Whether anybody wants a camera's frames: while somebody reads, and for a while after. Safe from any thread. */
final class Demand implements BooleanSupplier {
    private final boolean always;
    private final long lingerNanos;
    private final BooleanSupplier stopped;
    private volatile Publisher publisher;
    private volatile long lastWanted;

    private Demand(boolean always, Duration linger, BooleanSupplier stopped) {
        this.always = always;
        this.lingerNanos = linger.toNanos();
        this.stopped = stopped;
    }

    /** That of a camera, until something stops it. */
    static Demand of(CameraSettings settings, BooleanSupplier stopped) {
        return new Demand(!settings.onDemand(), settings.linger(), stopped);
    }

    /** Whether it depends on readers. */
    boolean varies() {
        return !always;
    }

    /** From here on readers decide; until then the camera is opened to find out what its frames are. */
    void ask(Publisher newPublisher) {
        lastWanted = System.nanoTime() - lingerNanos;
        publisher = newPublisher;
    }

    /** The stream goes on with another publisher, which its readers have yet to find. */
    void askInstead(Publisher newPublisher) {
        lastWanted = System.nanoTime();
        publisher = newPublisher;
    }

    @Override
    public boolean getAsBoolean() {
        if (stopped.getAsBoolean()) {
            return false;
        }
        Publisher asked = publisher;
        if (always || asked == null) {
            return true;
        }
        long now = System.nanoTime();
        if (asked.subscribers() > 0) {
            lastWanted = now;
            return true;
        }
        return now - lastWanted < lingerNanos;
    }
}
