// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;

/** A camera's tracks as SDP (RFC 8866, with the parameters of RFC 6184, 7798 and 3640). Stateless. */
final class CameraDescription {
    static final String VIDEO = "video";
    static final String AUDIO = "audio";
    static final int AAC_TYPE = 97;
    static final int PCMU_TYPE = 0;

    private static final String SESSION = """
            v=0
            o=- 1 1 IN IP4 127.0.0.1
            s=scripted camera
            t=0 0
            a=control:*
            """;

    private CameraDescription() {}

    /** Both tracks as the script has them. */
    static String of(CameraScript script, AccessUnits clip) {
        String video = video(clip, script.announcesParameterSets);
        String audio = audio(script.audio);
        return lines(SESSION + (script.audioFirst ? audio + video : video + audio));
    }

    static String instead(CameraScript.Description description) {
        return switch (description) {
            case NOTHING -> "";
            case NO_TRACKS -> lines(SESSION);
            case AUDIO_ALONE -> lines(SESSION + audio(CameraScript.Audio.PCMU));
        };
    }

    private static String lines(String text) {
        return text.replace("\n", "\r\n");
    }

    private static String video(AccessUnits clip, boolean announcesParameterSets) {
        return "m=video 0 RTP/AVP 96\na=rtpmap:96 " + (clip.hevc() ? "H265" : "H264") + "/90000\n"
                + (clip.hevc() ? hevc(clip, announcesParameterSets) : h264(clip, announcesParameterSets))
                + "a=control:" + VIDEO + "\n";
    }

    private static String h264(AccessUnits clip, boolean announcesParameterSets) {
        String sets =
                clip.parameterSets().stream().map(CameraDescription::base64).collect(Collectors.joining(","));
        return "a=fmtp:96 packetization-mode=1"
                + (announcesParameterSets ? ";sprop-parameter-sets=" + sets : "")
                + "\n";
    }

    private static String hevc(AccessUnits clip, boolean announcesParameterSets) {
        List<String> names = List.of("sprop-vps", "sprop-sps", "sprop-pps"); // types 32, 33 and 34
        String sets = clip.parameterSets().stream()
                .map(set -> names.get(clip.type(set) - 32) + "=" + base64(set))
                .collect(Collectors.joining(";"));
        return announcesParameterSets ? "a=fmtp:96 " + sets + "\n" : "";
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static String audio(CameraScript.Audio audio) {
        if (audio == null) {
            return "";
        }
        String aac = "m=audio 0 RTP/AVP 97\na=rtpmap:97 MPEG4-GENERIC/16000/1\n"
                + "a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3";
        String track = switch (audio) {
            case PCMU -> "m=audio 0 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n";
            case AAC -> aac + ";config=1408\n";
            case AAC_WITHOUT_CONFIG -> aac + "\n";
        };
        return track + "a=control:" + AUDIO + "\n";
    }
}
