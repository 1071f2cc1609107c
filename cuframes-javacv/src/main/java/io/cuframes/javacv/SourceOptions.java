// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** What a {@link VideoSource} was told, checked. Timeouts that it was not told are null: see {@link Patience}. */
record SourceOptions(
        SourceUrl url,
        InputOptions input,
        VideoSource.Decoder decoder,
        int device,
        VideoSource.RtspTransport rtspTransport,
        boolean listen,
        boolean loop,
        boolean realtime,
        boolean reconnect,
        boolean dropDamaged,
        Duration openTimeout,
        Duration readTimeout,
        BooleanSupplier demand,
        VideoSource.Listener listener,
        HardwareDecoders hardware) {

    /** Makes decoders that work on a GPU. */
    @FunctionalInterface
    interface HardwareDecoders {
        /**
         * Prepares a device to decode the demuxer's stream.
         *
         * @throws io.cuframes.CuframesException if it cannot
         */
        FrameDecoder open(Demuxer demuxer, int device);
    }
}
