// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

import io.cuframes.Ownership;
import io.cuframes.Transport;

/**
 * The ring as a segment's header describes it.
 *
 * @param transport where the pixels live
 * @param ownership who made the buffers
 * @param slots 2 to 64
 * @param slotStride bytes from slot to slot; 0 for EXTERNAL
 * @param length bytes, as section 3.1 of docs/protocol.md counts them
 * @param device the GPU; {@link DeviceUuid#NONE} for HOST
 */
public record RingLayout(
        Transport transport, Ownership ownership, int slots, long slotStride, long length, DeviceUuid device) {}
