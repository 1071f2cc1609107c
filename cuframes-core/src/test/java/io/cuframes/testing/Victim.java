// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A process that has begun, and waits for the line {@code go} before it becomes what it is to be, and its faults count. JVMs take long to start, and long to
 * link what they call; a victim has done both before.
 */
public final class Victim {
    private Victim() {}

    /** Arguments: faults as {@link FaultInjector} has them, a directory and a transport to rehearse in, the main class, and its arguments. */
    public static void main(String[] args) throws IOException, ReflectiveOperationException {
        ChildJvm.Rehearsal.play(Path.of(args[1]), Transport.valueOf(args[2]));
        for (int c = System.in.read(); c >= 0 && c != '\n'; c = System.in.read()) {
            // Nothing else is read: the rest is for the main class.
        }
        List<String> rest = Arrays.asList(args).subList(3, args.length);
        FaultInjector.arm(args[0]);
        ChildJvm.run(rest);
    }
}
