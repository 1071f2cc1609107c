// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avformat.AVFMT_NOTIMESTAMPS;
import static org.bytedeco.ffmpeg.global.avformat.av_guess_frame_rate;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVRational;

/** How many frames a second a stream has, out of what FFmpeg knows of it. */
final class FrameRate {
    private static final double HIGHEST_PLAUSIBLE = 1000;

    private static final MathContext SMALL = new MathContext(3, RoundingMode.HALF_UP);

    private FrameRate() {}

    /**
     * Of a stream that was probed. The mean of its timestamps is right where it has some, whether they are steady or not. What is without timestamps gets some
     * by FFmpeg, so there the codec's own rate is right; that is also what is left where FFmpeg has measured nothing, as of live streams. FFmpeg's guess comes
     * last: it is that of fields where the codec counts these.
     *
     * @return frames per second, 0 if it is not known
     */
    static double of(AVFormatContext context, AVStream stream) {
        double mean = plausible(stream.avg_frame_rate());
        double coded = plausible(stream.codecpar().framerate());
        boolean hasTimestamps = (context.iformat().flags() & AVFMT_NOTIMESTAMPS) == 0;
        double first = hasTimestamps ? mean : coded;
        double second = hasTimestamps ? coded : mean;
        if (first > 0) {
            return first;
        }
        return second > 0 ? second : plausible(av_guess_frame_rate(context, stream, null));
    }

    private static double plausible(AVRational rate) {
        double perSecond = rate.den() == 0 ? 0 : (double) rate.num() / rate.den();
        return perSecond > 0 && perSecond <= HIGHEST_PLAUSIBLE ? perSecond : 0;
    }

    /** Such as {@code 25 fps}, {@code 29.97 fps} or {@code 0.2 fps}; empty if the rate is not known. */
    static String text(double rate) {
        if (rate <= 0) {
            return "";
        }
        BigDecimal exact = BigDecimal.valueOf(rate);
        BigDecimal rounded = rate < 1 ? exact.round(SMALL) : exact.setScale(3, RoundingMode.HALF_UP);
        return rounded.stripTrailingZeros().toPlainString() + " fps";
    }
}
