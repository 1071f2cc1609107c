// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.VideoSource;
import java.time.Duration;
import java.util.Locale;

/** Tells the user what happens to a source. */
final class SourceEvents implements VideoSource.Listener {
    private SourceRun run;

    /** Tells the run of losses, too. On its thread. */
    void tell(SourceRun newRun) {
        run = newRun;
    }

    @Override
    public void lost(String reason, Duration retryIn) {
        if (run != null) {
            run.noteLoss();
        }
        say(String.format(
                Locale.ROOT, "the input is lost: %s; trying again in %.1f s", reason, retryIn.toMillis() / 1e3));
    }

    @Override
    public void restored(String description) {
        say("the input is back: " + description);
    }

    @Override
    public void fellBack(String reason) {
        say("decoding on the CPU: " + reason);
    }

    private static void say(String text) {
        Console.standardError().line(text);
    }
}
