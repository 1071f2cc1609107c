// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import java.lang.foreign.MemorySegment;

/** Whether the JVM lets this module call native functions, which is decided by its flags. Thread-safe. */
public final class NativeAccess {
    private static volatile boolean granted;

    private NativeAccess() {}

    /**
     * Makes sure that native functions may be called, before the first of them is linked. Costs nothing once they may.
     *
     * @throws IllegalCallerException where the JVM denies it, at each call; the message names the flag
     */
    public static void require() {
        if (!granted) {
            probe();
            granted = true;
        }
    }

    /** Asks by a restricted method that does nothing: where access is neither granted nor denied, this is where the JVM prints its warning. */
    @SuppressWarnings("restricted") // to find out whether it is
    private static void probe() {
        try {
            MemorySegment.NULL.reinterpret(0);
        } catch (IllegalCallerException e) {
            throw denied(e);
        }
    }

    /** What to throw where the JVM has denied access. */
    static IllegalCallerException denied(IllegalCallerException cause) {
        Module module = NativeAccess.class.getModule();
        return new IllegalCallerException(
                "this JVM denies cuframes the calls into libc and CUDA that it is made of: start it with"
                        + " --enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED"),
                cause);
    }
}
