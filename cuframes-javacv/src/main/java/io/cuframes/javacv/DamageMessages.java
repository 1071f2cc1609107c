// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.ffm.LibAvutil;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The messages of FFmpeg 8 that say that coded video was missing, cut or skipped, by their formats, as its sources have them. All are at {@code
 * AV_LOG_WARNING} or worse.
 *
 * <p>Not here: what harmless streams say all the time (malformed SEI, user data and APP segments; {@code EOI missing, emulating}, of cameras that leave
 * it out; {@code number of reference frames ... exceeds max} and {@code mmco: unref short failure}, of encoders that count badly); what repeats another
 * message ({@code max delay reached. need to consume packet}); and what a status or a packet's flag tells ({@code no frame!}, {@code Packet corrupt}).
 */
final class DamageMessages {
    /** What a message is, by its format. */
    enum Kind {
        OTHER(0),
        DAMAGE(1),
        /** Damage if the NAL unit's type in its text is one of HEVC's slices: others are SEI and parameter sets. */
        HEVC_UNIT(2),
        /** Damage if the NAL unit's type is one of a slice in H.264 and HEVC alike. */
        UNIT_HEADER(3),
        /** Damage if the unit's type is not AV1's metadata. */
        CODED_UNIT(4);

        private static final Kind[] ALL = {OTHER, DAMAGE, HEVC_UNIT, UNIT_HEADER, CODED_UNIT};
        private static final int FIRST_HEVC_PARAMETER_SET = 32;
        private static final int FIRST_H264_SLICE = 1;
        private static final int LAST_H264_SLICE = 5;
        private static final int AV1_METADATA = 5;
        private static final Pattern TYPE = Pattern.compile("(?:NALU: |\\(type )(\\d{1,9})");

        /** What stands for it in the cache: its place in {@code ALL}. */
        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /** Whether a message of this kind is of damage, as its text has it. */
        boolean isDamage(String text) {
            if (this == OTHER || this == DAMAGE) {
                return this == DAMAGE;
            }
            Matcher matcher = TYPE.matcher(text);
            if (!matcher.find()) {
                return false;
            }
            int type = Integer.parseInt(matcher.group(1));
            return switch (this) {
                case HEVC_UNIT -> type < FIRST_HEVC_PARAMETER_SET;
                case UNIT_HEADER -> type >= FIRST_H264_SLICE && type <= LAST_H264_SLICE;
                default -> type != AV1_METADATA;
            };
        }
    }

    /** libavcodec/h264_slice.c, h264_refs.c, h264_parse.c, h264dec.c, h2645_parse.c. */
    private static final List<String> H264_SLICES = List.of(
            "error while decoding MB %d %d",
            "error while decoding MB %d %d, bytestream %td",
            "bytestream overread %td",
            "decode_slice_header error",
            "non-existing PPS %u referenced",
            "pps_id %u out of range",
            "first_mb_in_slice overflow",
            "slice type %d too large at %d",
            "A non-intra slice in an IDR NAL unit.",
            "Invalid mix of IDR and non-IDR slices",
            "Frame num change from %d to %d",
            "Slice overlaps with next at %d",
            "PPS changed between slices",
            "SPS changed in the middle of the frame",
            "Changing field mode (%d -> %d) between slices is not allowed",
            "unset cur_pic_ptr on slice %d",
            "QP %u out of range",
            "cabac_init_idc %u overflow",
            "deblocking_filter_idc %u out of range",
            "deblocking filter parameters %d %d out of range",
            "luma_log2_weight_denom %d is out of range",
            "chroma_log2_weight_denom %d is out of range",
            "Out of range weight",
            "reference count overflow",
            "reference overflow %u > %u or %u > %u",
            "reference overflow %u > %u ",
            "abs_diff_pic_num overflow",
            "long_term_pic_idx overflow",
            "illegal modification_of_pic_nums_idc %u",
            "illegal memory management control operation %d",
            "reference picture missing during reorder",
            "Missing reference picture, default is %d",
            "Invalid zero-sized VCL NAL unit",
            "Invalid NAL unit size (%d > %d).",
            "Error splitting the input into NAL units.");

    /** libavcodec/h264_mb.c, h264_cabac.c, h264_cavlc.c, h264_mvpred.h and h264_parse.c: macroblocks. */
    private static final List<String> H264_MACROBLOCKS = List.of(
            "corrupted macroblock %d %d (total_coeff=%d)",
            "negative number of zero coeffs at %d %d",
            "Invalid level prefix",
            "mb_skip_run %d is invalid",
            "mb_type %d in %c slice too large at %d %d",
            "B sub_mb_type %u out of range at %d %d",
            "P sub_mb_type %u out of range at %d %d",
            "Not enough data for an intra PCM block.",
            "Reference %d >= %d",
            "ref %u overflow",
            "cbp too large (%u) at %d %d",
            "dquant out of range (%d) at %d %d",
            "cabac decode of qscale diff failed at %d %d",
            "overflow in decode_cabac_mb_mvd",
            "top block unavailable for requested intra mode",
            "top block unavailable for requested intra mode %d",
            "left block unavailable for requested intra mode",
            "left block unavailable for requested intra4x4 mode %d",
            "out of range intra chroma pred mode");

    /** libavcodec/hevc/hevcdec.c, refs.c, ps.c (reference picture sets of slices), cabac.c. */
    private static final List<String> HEVC = List.of(
            "Could not find ref with POC %d",
            "Error constructing the frame RPS.",
            "Error constructing the reference lists for the current slice.",
            "Zero refs in the frame RPS.",
            "Zero refs for a frame with P or B slices.",
            "Invalid reference index.",
            "First slice in a frame missing.",
            "Previous slice segment missing",
            "Independent slice segment missing.",
            "Two slices reporting being the first in the same frame.",
            "Ignoring POC change between slices: %d -> %d",
            "Non-matching NAL types of the VCL NALUs: %d %d",
            "Inter slices in an IRAP frame.",
            "PPS id out of range: %d",
            "PPS changed between slices.",
            "Invalid slice segment address: %u.",
            "Impossible slice segment.",
            "Unknown slice type: %d.",
            "Invalid long term RPS.",
            "Too many refs in a short term RPS.",
            "Too many refs: %d/%d.",
            "Invalid value of delta_poc: %d",
            "Invalid collocated_ref_idx: %d.",
            "luma_log2_weight_denom %d is invalid",
            "chroma_log2_weight_denom %ld is invalid",
            "Invalid number of merging MVP candidates: %d.",
            "Invalid deblock filter offsets: %d, %d",
            "offset_len %d is invalid",
            "num_entry_point_offsets %d is invalid",
            "entry_point_offset table is corrupted",
            "WPP ctb addresses are wrong (%d %d %d %d)",
            "Overread slice header by %d bits",
            "The slice_qp %d is outside the valid range [%d, 51].",
            "The cu_qp_delta %d is outside the valid range [%d, %d].",
            "CABAC_MAX_BIN : %d");

    /** libavcodec/mpeg12dec.c, mpeg4videodec.c, h263dec.c, ituh263dec.c, error_resilience.c. */
    private static final List<String> MPEG = List.of(
            "ac-tex damaged at %d %d",
            "Warning MVs not available",
            "invalid cbp %d at %d %d",
            "00 motion_type at %d %d",
            "mb incr damaged",
            "slice mismatch",
            "slice too small",
            "slice below image (%d >= %d)",
            "end mismatch left=%d %0X at %d %d",
            "skipped MB in I-frame at %d %d",
            "Invalid mb type in I-frame at %d %d",
            "Invalid mb type in P-frame at %d %d",
            "Invalid mb type in B-frame at %d %d",
            "MT_DMV in progressive_sequence",
            "Missing picture start code",
            "sequence header damaged",
            "Error at MB: %d",
            "Slice mismatch at MB: %d",
            "overreading %d bits",
            "slice end not reached but screenspace end (%d left %06X, score= %d)",
            "illegal dc vlc",
            "dc marker bit missing",
            "mcbpc damaged at %d %d",
            "I cbpy damaged at %d %d",
            "P cbpy damaged at %d %d",
            "b cbpy damaged at %d %d",
            "1. marker bit missing in 3. esc",
            "2. marker bit missing in 3. esc",
            "1. marker bit missing in rvlc esc",
            "2. marker bit missing in rvlc esc",
            "header damaged",
            "Error, video packet header damaged (f_code=0)",
            "Error, video packet header damaged (b_code=0)",
            "Error, header damaged or not MPEG-4 header (qscale=0)",
            "Error, header damaged or not MPEG-4 header (f_code=0)",
            "Error, header damaged or not MPEG4 header (b_code=0)",
            "warning: first frame is no keyframe");

    /** libavcodec/mjpegdec.c. */
    private static final List<String> MJPEG = List.of(
            "overread %d",
            "error count: %d",
            "error dc",
            "error y=%d x=%d",
            "mjpeg_decode_dc: bad vlc: %d:%d (%p)",
            "bitstream truncated in mjpeg_decode_scan_progressive_ac",
            "component %d is incomplete",
            "huffman table decode error",
            "dht: len %d is too large",
            "dqt: len %d is too large");

    /** libavcodec/vp8.c, vp9.c, av1dec.c, cbs_av1_syntax_template.c, libaomdec.c. */
    private static final List<String> VPX_AND_AV1 = List.of(
            "Header size larger than data provided",
            "Insufficient data (%d) for header",
            "Invalid partitions",
            "Discarding interframe without a prior keyframe!",
            "Invalid compressed header size",
            "Invalid frame marker",
            "Invalid sync code",
            "Marker bit was set",
            "Failed to decode tile data",
            "Not all references are available",
            "Requested reference %d not available",
            "Failed to read frame header.",
            "Failed to read packet.",
            "Frame %d too large in superframe: %u bytes.",
            "Missing reference frame needed for show_existing_frame (frame_to_show_map_idx = %d).",
            "Missing reference frame needed for frame size (ref = %d, ref_frame_idx = %d).",
            "Failed to decode frame: %s");

    /** libavformat/rtpdec.c, and its depacketizers rtpdec_h264.c, rtpdec_hevc.c, rtpdec_jpeg.c, rtpdec_mpeg4.c, rtpdec_vp8.c, rtpdec_av1.c. */
    private static final List<String> RTP = List.of(
            "RTP: missed %d packets",
            "RTP: dropping old packet received too late",
            "RTP: PT=%02x: bad cseq %04x expected=%04x",
            "nal size exceeds length: %d %d",
            "Too short data for FU-A H.264 RTP packet",
            "Empty H.264 RTP packet",
            "Too short RTP/HEVC packet, got %d bytes",
            "Too short RTP/HEVC packet, got %d bytes of NAL unit type %d",
            "Illegal combination of S and E bit in RTP/HEVC packet",
            "Too short RTP/JPEG packet.",
            "RTP timestamps don't match.",
            "Received packet without a start chunk; dropping frame.",
            "Missing packets; dropping frame.",
            "Missed a picture, sequence broken",
            "Missed too much, sequence broken",
            "Missed unknown data, sequence broken",
            "Missed part of a keyframe, sequence broken",
            "Missed part of the first partition, sequence broken",
            "Received no start marker; dropping frame",
            "AV1 RTP frag packet sequence mismatch (%d != %d), dropping temporal unit",
            "AV1 RTP unfrag packet sequence mismatch (%d != %d), dropping temporal unit",
            "Unexpected fragment continuation in AV1 RTP packet",
            "Missing fragment continuation in AV1 RTP packet");

    /** libavformat/hls.c, dashdec.c: segments that are passed over. */
    private static final List<String> SEGMENTS = List.of(
            "skipping %ld segments ahead, expired from playlists",
            "Segment %ld of playlist %d failed too many times, skipping");

    /** Those that have to be looked at: libavcodec/hevc/hevcdec.c, h2645_parse.c, cbs.c. */
    private static final Map<String, Kind> BY_TEXT = Map.of(
            "Skipping invalid undecodable NALU: %d", Kind.HEVC_UNIT,
            "Failed to parse header of NALU (type %d): \"%s\". Skipping NALU.", Kind.UNIT_HEADER,
            "Failed to read unit %d (type %u).", Kind.CODED_UNIT);

    private static final Map<String, Kind> KINDS = kinds();

    /** A power of two: FFmpeg has a few hundred formats at this level. */
    private static final int CACHE_LENGTH = 1024;

    private static final int KIND_BITS = 3;

    /**
     * Kinds of the formats seen lately: an address, and a kind in its lowest bits. A word holds both, so threads need no lock. A format is a literal of a
     * library that stays loaded, so an address means one format for ever.
     */
    private static final AtomicLongArray CACHE = new AtomicLongArray(CACHE_LENGTH);

    private DamageMessages() {}

    private static Map<String, Kind> kinds() {
        Map<String, Kind> kinds = new HashMap<>(BY_TEXT);
        for (List<String> formats :
                List.of(H264_SLICES, H264_MACROBLOCKS, HEVC, MPEG, MJPEG, VPX_AND_AV1, RTP, SEGMENTS)) {
            formats.forEach(format -> kinds.put(format, Kind.DAMAGE));
        }
        return Map.copyOf(kinds);
    }

    /** All formats, without the line feed at their end. */
    static Map<String, Kind> all() {
        return KINDS;
    }

    /** What a message is, by the address of its format. Allocates when it sees one for the first time. */
    static Kind kindOf(long format) {
        int slot = (int) ((format ^ (format >>> 10)) & (CACHE_LENGTH - 1));
        long cached = CACHE.getOpaque(slot); // one word: nothing else is published by it
        if (cached >>> KIND_BITS == format) {
            return Kind.ALL[(int) cached & ((1 << KIND_BITS) - 1)];
        }
        Kind kind = kindOf(LibAvutil.getString(format));
        CACHE.setOpaque(slot, format << KIND_BITS | kind.code);
        return kind;
    }

    private static Kind kindOf(String format) {
        String line = format.endsWith("\n") ? format.substring(0, format.length() - 1) : format;
        return KINDS.getOrDefault(line, Kind.OTHER);
    }
}
