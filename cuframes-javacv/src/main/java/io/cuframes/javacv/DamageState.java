// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

/**
 * Which frames are damaged: one that the decoder or the demuxer reports damage for, and those after it, which are predicted from it, up to the next key
 * frame. A stream without further key frames, which refreshes its pictures bit by bit, is clean again some time after the last report. Not thread-safe.
 */
final class DamageState {
    /** Longer than the refresh of a picture takes, which is seconds. */
    static final long REFRESH_NANOS = 30_000_000_000L;

    private boolean spoilt;
    private boolean hasKey;
    private long reportedAt;
    private long keyAt;
    private long longestGroup;

    /**
     * Takes note of the next frame.
     *
     * @param reported whether damage was reported since the frame before
     * @param key whether the frame is a key frame
     * @param ptsNanos its time
     * @return whether it is damaged
     */
    boolean next(boolean reported, boolean key, long ptsNanos) {
        if (key) {
            noteKey(ptsNanos);
        }
        if (reported) {
            spoilt = true;
            reportedAt = ptsNanos;
        } else if (key || ptsNanos - reportedAt > Math.max(REFRESH_NANOS, 2 * longestGroup)) {
            spoilt = false;
        }
        return spoilt;
    }

    private void noteKey(long ptsNanos) {
        if (hasKey) {
            longestGroup = Math.max(longestGroup, ptsNanos - keyAt);
        }
        hasKey = true;
        keyAt = ptsNanos;
    }

    /** Another decoder begins: it shows nothing before a key frame. */
    void restart() {
        spoilt = false;
        hasKey = false;
    }
}
