// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** What FFmpeg is given for an input beside its address. */
final class InputOptionWords {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_:-]*");

    @Option(
            names = "--input-option",
            paramLabel = "NAME=VALUE",
            description =
                    "An option of FFmpeg's for the input, as its own command line has it before -i; once for each:"
                            + " user_agent=NAME for RTSP and HTTP, buffer_size=BYTES for UDP, protocol_whitelist=LIST for"
                            + " playlists. One that the input does not have is an error. Every user of this machine can read"
                            + " the command line: a secret has a better place in the file of --config.")
    List<String> options = List.of();

    @Option(
            names = "--input-format",
            paramLabel = "NAME",
            description = "FFmpeg's demuxer, as its own command line has it behind -f, where what the input is cannot"
                    + " be seen from what it sends: rawvideo, or x11grab for a screen. /dev/video* is v4l2 by itself.")
    String format;

    /** Without a value: it may be a secret. */
    void check(OptionChecks checks) {
        for (String option : options) {
            int equals = option.indexOf('=');
            if (equals < 0 || !NAME.matcher(option.substring(0, equals)).matches()) {
                throw checks.usage("--input-option needs NAME=VALUE, the name as FFmpeg has it, without a dash");
            }
        }
        if (format != null && !NAME.matcher(format.replace(',', '_')).matches()) {
            throw checks.usage("--input-format needs the name of a demuxer, as `ffmpeg -demuxers` lists it");
        }
    }

    /** By their names; of several values of one option the last. */
    Map<String, String> values() {
        Map<String, String> values = new LinkedHashMap<>();
        for (String option : options) {
            int equals = option.indexOf('=');
            values.put(option.substring(0, equals), option.substring(equals + 1));
        }
        return values;
    }
}
