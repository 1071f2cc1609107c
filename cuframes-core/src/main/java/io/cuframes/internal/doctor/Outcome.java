// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

/** How a check came out. */
public enum Outcome {
    /** It was done, and works. */
    WORKS,
    /** It works, or is not needed for everything; there is something to know. */
    NOTE,
    /** It was tried, and does not work. */
    FAILS,
    /** It was not tried, since what it needs does not work. */
    UNTRIED
}
