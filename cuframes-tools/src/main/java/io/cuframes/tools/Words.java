// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.time.Duration;
import java.util.Locale;

/** Values in the words of the command line and of configuration files. */
final class Words {
    /** What {@link #seconds} takes. */
    static final String SECONDS = "seconds, 0 to 86400, such as 10 or 0.5";

    /** What {@link #positiveSeconds} takes. */
    static final String POSITIVE_SECONDS = "seconds, more than 0 and up to 86400, such as 10 or 0.5";

    private static final double MOST_SECONDS = 86_400;

    private Words() {}

    /** A constant's word: {@code CUDA_VMM} is cuda-vmm. */
    static String of(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * A time in seconds.
     *
     * @throws IllegalArgumentException if it is none, or out of range
     */
    static Duration seconds(String text) {
        double seconds = Double.parseDouble(text);
        if (!(seconds >= 0 && seconds <= MOST_SECONDS)) {
            throw new IllegalArgumentException("\"" + text + "\" is not " + SECONDS);
        }
        return Duration.ofMillis(Math.round(seconds * 1000));
    }

    /**
     * A time in seconds that is not 0, rounded to milliseconds.
     *
     * @throws IllegalArgumentException if it is not a number, or out of range
     */
    static Duration positiveSeconds(String text) {
        Duration time = seconds(text);
        if (time.isZero()) {
            throw new IllegalArgumentException("\"" + text + "\" is not " + POSITIVE_SECONDS);
        }
        return time;
    }
}
