// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

import jdk.jfr.FlightRecorder;

/**
 * Whether anybody may record. To be asked before an event class is touched: as soon as one is loaded, the JDK sets its flight recorder up, which
 * takes a process that is never recorded a tenth of a second.
 */
public final class Recordings {
    private Recordings() {}

    /** Whether this process has, or had, a flight recording. One volatile read of a field. */
    public static boolean possible() {
        return FlightRecorder.isInitialized();
    }
}
