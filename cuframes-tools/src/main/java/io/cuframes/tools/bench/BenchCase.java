// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.WaitStrategy;
import java.util.Locale;

/**
 * One thing that is measured.
 *
 * @param mode the way
 * @param strategy how readers wait; null where there is no choice
 * @param subscribers reading processes
 * @param streams streams of the writing process
 */
record BenchCase(Mode mode, WaitStrategy strategy, int subscribers, int streams) {
    /** How readers wait, in a word. */
    String waitWord() {
        return strategy == null ? "-" : strategy.name().toLowerCase(Locale.ROOT);
    }

    /** Mode and way of waiting. */
    String name() {
        return strategy == null ? mode.word() : mode.word() + " " + waitWord();
    }

    /** What tells it from the other cases of a plan, fit for a file's name. */
    String id() {
        return name().replace(' ', '-') + (mode.isRing() ? "-" + streams + "x" + subscribers : "");
    }
}
