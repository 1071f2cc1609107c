// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.events;

/** Which end of a connection this process is. */
public enum Side {
    /** It publishes. */
    PUBLISHER,
    /** It reads. */
    SUBSCRIBER
}
