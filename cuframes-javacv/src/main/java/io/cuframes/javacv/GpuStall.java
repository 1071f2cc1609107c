// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

/** A GPU that does not go on, as a source's listener hears of it: once when it begins, once when it is over. For one thread. */
final class GpuStall {
    private final VideoSource.Listener listener;
    private boolean underWay;

    GpuStall(VideoSource.Listener listener) {
        this.listener = listener;
    }

    void began(String reason) {
        if (!underWay) {
            underWay = true;
            listener.stalled(reason);
        }
    }

    /** A frame was published. */
    void isOver() {
        if (underWay) {
            underWay = false;
            listener.resumed();
        }
    }
}
