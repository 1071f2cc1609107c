// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import org.jspecify.annotations.Nullable;

/** The parameter sets of an H.264 stream, as far as slice headers need them (ITU-T H.264, 7.3.2.1 and 7.3.2.2). Not thread-safe. */
final class H264ParameterSets {
    private static final int MOST_SEQUENCES = 32;
    private static final int MOST_PICTURES = 256;
    private static final int MOST_REFERENCES = 32;
    private static final int MOST_FRAMES_IN_CYCLE = 255;
    private static final int CHROMA_444 = 3;
    private static final int LONGEST_NUMBER = 16;

    /** What a sequence parameter set says. */
    record Sequence(
            int chromaFormat,
            boolean separatePlanes,
            int frameNumberBits,
            int orderType,
            int orderBits,
            boolean orderDeltaIsZero,
            boolean gapsAllowed,
            boolean framesOnly) {}

    /** What a picture parameter set says; the sequence is looked up when a slice comes. */
    record Picture(
            int sequence,
            boolean orderInFrames,
            int references0,
            int references1,
            boolean weighted,
            int weightedBipredictive,
            boolean redundant) {}

    private final @Nullable Sequence[] sequences = new Sequence[MOST_SEQUENCES];
    private final @Nullable Picture[] pictures = new Picture[MOST_PICTURES];

    /** The one of this number; null if none came. */
    @Nullable
    Picture picture(long number) {
        return number < MOST_PICTURES ? pictures[(int) number] : null;
    }

    @Nullable
    Sequence sequence(int number) {
        return sequences[number];
    }

    /** Takes in a sequence parameter set. One that cannot be read takes the place of the one before, too: slices are then not judged. */
    void readSequence(H264Bits bits) {
        int profile = (int) bits.bits(8);
        bits.skip(16); // constraint flags, level_idc
        long number = bits.unsigned();
        if (!bits.isExhausted() && number < MOST_SEQUENCES) {
            sequences[(int) number] = sequence(bits, profile);
        }
    }

    private static @Nullable Sequence sequence(H264Bits bits, int profile) {
        int chromaFormat = 1;
        boolean separatePlanes = false;
        if (hasChromaFormat(profile)) {
            chromaFormat = (int) Math.min(bits.unsigned(), CHROMA_444);
            separatePlanes = chromaFormat == CHROMA_444 && bits.flag();
            bits.unsigned(); // bit_depth_luma_minus8
            bits.unsigned(); // bit_depth_chroma_minus8
            bits.skip(1); // qpprime_y_zero_transform_bypass_flag
            if (bits.flag()) {
                skipScalingLists(bits, chromaFormat);
            }
        }
        long frameNumberBits = bits.unsigned() + 4;
        long orderType = bits.unsigned();
        long orderBits = orderType == 0 ? bits.unsigned() + 4 : 0;
        boolean orderDeltaIsZero = orderType == 1 && skipOrderCycle(bits);
        bits.unsigned(); // max_num_ref_frames
        boolean gapsAllowed = bits.flag();
        bits.unsigned(); // pic_width_in_mbs_minus1
        bits.unsigned(); // pic_height_in_map_units_minus1
        boolean framesOnly = bits.flag();
        boolean valid = !bits.isExhausted()
                && frameNumberBits <= LONGEST_NUMBER
                && orderType <= 2
                && orderBits <= LONGEST_NUMBER;
        return valid
                ? new Sequence(
                        chromaFormat,
                        separatePlanes,
                        (int) frameNumberBits,
                        (int) orderType,
                        (int) orderBits,
                        orderDeltaIsZero,
                        gapsAllowed,
                        framesOnly)
                : null;
    }

    private static boolean hasChromaFormat(int profile) {
        return switch (profile) {
            case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135 -> true;
            default -> false;
        };
    }

    private static void skipScalingLists(H264Bits bits, int chromaFormat) {
        int lists = chromaFormat == CHROMA_444 ? 12 : 8;
        for (int list = 0; list < lists && !bits.isExhausted(); list++) {
            if (bits.flag()) {
                skipScalingList(bits, list < 6 ? 16 : 64);
            }
        }
    }

    private static void skipScalingList(H264Bits bits, int length) {
        int last = 8;
        int next = 8;
        for (int i = 0; i < length && next != 0 && !bits.isExhausted(); i++) {
            next = (int) (last + bits.signed()) & 0xff;
            last = next == 0 ? last : next;
        }
    }

    /** The picture order count's cycle; gives delta_pic_order_always_zero_flag. */
    private static boolean skipOrderCycle(H264Bits bits) {
        boolean deltaIsZero = bits.flag();
        bits.signed(); // offset_for_non_ref_pic
        bits.signed(); // offset_for_top_to_bottom_field
        long frames = bits.unsigned();
        for (long i = 0; i < Math.min(frames, MOST_FRAMES_IN_CYCLE) && !bits.isExhausted(); i++) {
            bits.signed();
        }
        return deltaIsZero;
    }

    /** Takes in a picture parameter set, likewise. Those with slice groups are not kept: no camera has them. */
    void readPicture(H264Bits bits) {
        long number = bits.unsigned();
        if (!bits.isExhausted() && number < MOST_PICTURES) {
            pictures[(int) number] = picture(bits);
        }
    }

    private static @Nullable Picture picture(H264Bits bits) {
        long sequence = bits.unsigned();
        bits.skip(1); // entropy_coding_mode_flag
        boolean orderInFrames = bits.flag();
        long groups = bits.unsigned();
        long references0 = bits.unsigned() + 1;
        long references1 = bits.unsigned() + 1;
        boolean weighted = bits.flag();
        int weightedBipredictive = (int) bits.bits(2);
        bits.signed(); // pic_init_qp_minus26
        bits.signed(); // pic_init_qs_minus26
        bits.signed(); // chroma_qp_index_offset
        bits.skip(2); // deblocking_filter_control_present_flag, constrained_intra_pred_flag
        boolean redundant = bits.flag();
        boolean valid = !bits.isExhausted()
                && sequence < MOST_SEQUENCES
                && groups == 0
                && references0 <= MOST_REFERENCES
                && references1 <= MOST_REFERENCES;
        return valid
                ? new Picture(
                        (int) sequence,
                        orderInFrames,
                        (int) references0,
                        (int) references1,
                        weighted,
                        weightedBipredictive,
                        redundant)
                : null;
    }
}
