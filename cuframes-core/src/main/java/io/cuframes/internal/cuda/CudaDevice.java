// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.internal.protocol.DeviceUuid;

/**
 * A GPU as this process sees it.
 *
 * @param ordinal its number here
 * @param uuid its name on the host
 * @param name its product name
 */
public record CudaDevice(int ordinal, DeviceUuid uuid, String name) {
    @Override
    public String toString() {
        return ordinal + " " + name + " (" + uuid + ")";
    }
}
