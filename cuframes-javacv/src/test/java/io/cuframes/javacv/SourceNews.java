// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What a source's listener hears, a line each. */
final class SourceNews implements VideoSource.Listener {
    private final List<String> lines = new CopyOnWriteArrayList<>();

    List<String> lines() {
        return lines;
    }

    @Override
    public void lost(String reason, Duration retryIn) {
        lines.add("lost: " + reason);
    }

    @Override
    public void restored(String description) {
        lines.add("restored");
    }

    @Override
    public void fellBack(String reason) {
        lines.add("fell back: " + reason);
    }

    @Override
    public void stalled(String reason) {
        lines.add("stalled: " + reason);
    }

    @Override
    public void resumed() {
        lines.add("resumed");
    }
}
