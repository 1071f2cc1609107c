// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

/** Who follows a run, and may end it. Called on the thread that runs it. */
public interface BenchProgress {
    /**
     * Says something that stays.
     *
     * @param line the text
     */
    void say(String line);

    /**
     * Says what is being done now.
     *
     * @param line the text
     */
    void doing(String line);

    /**
     * Whether the run should end.
     *
     * @return true to end it; what has been measured is kept
     */
    boolean stopped();

    /**
     * Waits, unless the run should end.
     *
     * @param millis for how long
     */
    void sleep(long millis);
}
