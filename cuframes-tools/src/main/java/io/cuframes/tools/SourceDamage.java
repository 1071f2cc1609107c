// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.VideoSource;

/**
 * What was damaged of a source so far, as text and as JSON.
 *
 * @param errors packets and frames in which an error was found
 * @param damaged frames whose pixels may be wrong, those held back included
 * @param heldBack damaged frames that were not published
 */
record SourceDamage(long errors, long damaged, long heldBack) {
    /** The counts of a source; all 0 for null, which stands for one that was never opened. */
    static SourceDamage of(VideoSource source) {
        return source == null
                ? new SourceDamage(0, 0, 0)
                : new SourceDamage(source.errors(), source.damaged(), source.heldBack());
    }

    /** The counts that are not 0, with a separator before each. */
    String text(String separator) {
        return count(separator, "errors", errors)
                + count(separator, "damaged", damaged)
                + count(separator, "held back", heldBack);
    }

    private static String count(String separator, String name, long count) {
        return count == 0 ? "" : separator + name + " " + count;
    }

    /** Adds all counts. */
    JsonLine putInto(JsonLine line) {
        return line.put("errors", errors).put("damaged", damaged).put("held_back", heldBack);
    }
}
