// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.fault;

/** What happens at fault points, if anything: the tests' affair, which have the one implementation. */
public interface FaultHandler {
    /**
     * A step was reached. From any thread.
     *
     * @param point the step
     */
    void reached(FaultPoint point);
}
