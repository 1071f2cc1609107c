// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.time.Duration;

/** Has what happens to an input in the log, where the application does not listen itself. */
final class SourceLog implements VideoSource.Listener {
    private static final System.Logger LOG = System.getLogger(VideoSource.class.getName());

    private final SourceUrl url;

    SourceLog(SourceUrl url) {
        this.url = url;
    }

    @Override
    public void lost(String reason, Duration retryIn) {
        LOG.log(
                System.Logger.Level.WARNING,
                url + " is lost: " + reason + "; the next attempt comes in " + retryIn.toMillis() + " ms");
    }

    @Override
    public void restored(String description) {
        LOG.log(System.Logger.Level.INFO, url + " is back: " + description);
    }

    @Override
    public void fellBack(String reason) {
        LOG.log(System.Logger.Level.WARNING, url + " is decoded on the CPU: " + reason);
    }

    @Override
    public void stalled(String reason) {
        LOG.log(System.Logger.Level.WARNING, "frames of " + url + " are dropped: " + reason);
    }

    @Override
    public void resumed() {
        LOG.log(System.Logger.Level.INFO, "frames of " + url + " are published again");
    }
}
