// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avformat.avformat_get_class;
import static org.bytedeco.ffmpeg.global.avutil.AV_OPT_SEARCH_CHILDREN;
import static org.bytedeco.ffmpeg.global.avutil.AV_OPT_SEARCH_FAKE_OBJ;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_get;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.bytedeco.ffmpeg.global.avutil.av_opt_find;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * What a program gives FFmpeg for an input beside its address. Values may be secrets, and are in no text.
 *
 * @param values by the names of options of demuxers and protocols
 * @param format the demuxer's name; null where FFmpeg is to find it
 */
record InputOptions(Map<String, String> values, String format) {
    /** AV_DICT_MATCH_CASE of libavutil/dict.h; its binding is marked as deprecated, the constant itself is not. */
    private static final int MATCH_CASE = 1;

    InputOptions(Map<String, String> values, String format) {
        this.values = Map.copyOf(new LinkedHashMap<>(values));
        this.format = format;
        this.values.values().forEach(Credentials::addSecret);
    }

    /**
     * Refuses options that no demuxer and no protocol has.
     *
     * @throws CuframesException code INVALID_ARGUMENT
     */
    void requireKnown() {
        try (PointerPointer<Pointer> fake = new PointerPointer<>(1)) {
            fake.put(0, avformat_get_class());
            for (String name : values.keySet()) {
                if (name.isEmpty()
                        || av_opt_find(fake, name, null, 0, AV_OPT_SEARCH_CHILDREN | AV_OPT_SEARCH_FAKE_OBJ) == null) {
                    throw unknown(name, "no demuxer and no protocol of FFmpeg has it");
                }
            }
        }
    }

    /** Adds them to settings, in place of what is there. */
    void addTo(AVDictionary settings) {
        values.forEach((name, value) -> av_dict_set(settings, name, value, MATCH_CASE));
    }

    /**
     * Refuses options that an input has not taken.
     *
     * @param left what FFmpeg left over when it opened the input
     * @param demuxer its name
     * @throws CuframesException code INVALID_ARGUMENT
     */
    void requireTaken(AVDictionary left, String demuxer) {
        for (String name : values.keySet()) {
            if (av_dict_get(left, name, null, MATCH_CASE) != null) {
                throw unknown(name, "neither the demuxer " + demuxer + " nor the protocol of this input has it");
            }
        }
    }

    private static CuframesException unknown(String name, String why) {
        return new CuframesException(
                ErrorCode.INVALID_ARGUMENT,
                "unknown input option \"" + Credentials.hideInText(name) + "\": " + why
                        + "; `ffmpeg -h full` lists those that there are");
    }

    @Override
    public String toString() {
        return "format " + format + ", options " + values.keySet();
    }
}
