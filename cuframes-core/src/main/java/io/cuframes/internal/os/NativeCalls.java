// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.NativeAccess;

/** Whether this process may call into libc and CUDA at all. */
public final class NativeCalls {
    private NativeCalls() {}

    /**
     * Asks before anything else is done; costs nothing once they are allowed.
     *
     * @throws CuframesException code UNSUPPORTED where the JVM's flags deny native access, naming the one that grants it
     */
    public static void require() {
        try {
            NativeAccess.require();
        } catch (IllegalCallerException e) {
            throw new CuframesException(ErrorCode.UNSUPPORTED, e.getMessage(), e);
        }
    }
}
