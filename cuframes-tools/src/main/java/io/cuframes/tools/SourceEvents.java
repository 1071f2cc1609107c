// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.VideoSource;
import java.time.Duration;

/** Tells the user what happens to a source. */
final class SourceEvents implements VideoSource.Listener {
    /** That it does again. */
    static final String RESUMED = "frames are published again";

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
        say(SourceProgress.retry("the input is lost: " + reason, retryIn));
    }

    @Override
    public void restored(String description) {
        say("the input is back: " + description);
    }

    @Override
    public void fellBack(String reason) {
        say("decoding on the CPU: " + reason);
    }

    @Override
    public void stalled(String reason) {
        say(dropping(reason));
    }

    @Override
    public void resumed() {
        say(RESUMED);
    }

    /** That the GPU does not go on. */
    static String dropping(String reason) {
        return "frames are dropped: " + reason;
    }

    private static void say(String text) {
        Console.standardError().line(text);
    }
}
