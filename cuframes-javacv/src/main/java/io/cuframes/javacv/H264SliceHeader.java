// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import org.jspecify.annotations.Nullable;

/** The header of a slice of H.264 (ITU-T H.264, 7.3.3), as far as the order of reference pictures goes. Not thread-safe; one serves many slices. */
final class H264SliceHeader {
    private static final int B = 1;
    private static final int I = 2;
    private static final int SI = 4;
    private static final int IDR = 5;
    private static final int MOST_OPERATIONS = 66;
    private static final int EXPLICIT = 1;

    private H264ParameterSets.@Nullable Sequence sequence;
    private boolean first;
    private int frameNumber;
    private boolean resets;

    /**
     * Reads a header.
     *
     * @param type the NAL unit's type
     * @param reference whether its {@code nal_ref_idc} is not 0
     * @return false if it cannot be read: its parameter sets are unknown, or it is cut
     */
    boolean read(H264Bits bits, H264ParameterSets sets, int type, boolean reference) {
        first = bits.unsigned() == 0;
        int sliceType = (int) (bits.unsigned() % 5);
        H264ParameterSets.Picture picture = bits.isExhausted() ? null : sets.picture(bits.unsigned());
        sequence = picture == null ? null : sets.sequence(picture.sequence());
        if (sequence == null || picture == null) {
            return false;
        }
        bits.skip(sequence.separatePlanes() ? 2 : 0);
        frameNumber = (int) bits.bits(sequence.frameNumberBits());
        if (bits.isExhausted()) {
            return false;
        }
        resets = reference && type != IDR && resetsNumbers(bits, sequence, picture, sliceType);
        return true;
    }

    /** The sequence parameter set that the slice is of. */
    H264ParameterSets.@Nullable Sequence sequence() {
        return sequence;
    }

    /** Whether it is the first of a picture, or the first in a redundant copy. */
    boolean isFirst() {
        return first;
    }

    int frameNumber() {
        return frameNumber;
    }

    /** Whether numbers begin again behind this picture: memory_management_control_operation 5. */
    boolean resets() {
        return resets;
    }

    private static boolean resetsNumbers(
            H264Bits bits, H264ParameterSets.Sequence sequence, H264ParameterSets.Picture picture, int type) {
        boolean field = !sequence.framesOnly() && bits.flag();
        bits.skip(field ? 1 : 0); // bottom_field_flag
        skipOrder(bits, sequence, picture, field);
        if (picture.redundant()) {
            bits.unsigned(); // redundant_pic_cnt
        }
        bits.skip(type == B ? 1 : 0); // direct_spatial_mv_pred_flag
        if (type != I && type != SI) {
            long references0 = picture.references0();
            long references1 = picture.references1();
            if (bits.flag()) { // num_ref_idx_active_override_flag
                references0 = bits.unsigned() + 1;
                references1 = type == B ? bits.unsigned() + 1 : references1;
            }
            skipModification(bits);
            if (type == B) {
                skipModification(bits);
            }
            if (type == B ? picture.weightedBipredictive() == EXPLICIT : picture.weighted()) {
                boolean chroma = sequence.chromaFormat() != 0 && !sequence.separatePlanes();
                skipWeights(bits, chroma, references0, type == B ? references1 : 0);
            }
        }
        return marksReset(bits);
    }

    private static void skipOrder(
            H264Bits bits, H264ParameterSets.Sequence sequence, H264ParameterSets.Picture picture, boolean field) {
        boolean second = picture.orderInFrames() && !field;
        if (sequence.orderType() == 0) {
            bits.skip(sequence.orderBits());
            if (second) {
                bits.signed(); // delta_pic_order_cnt_bottom
            }
        } else if (sequence.orderType() == 1 && !sequence.orderDeltaIsZero()) {
            bits.signed(); // delta_pic_order_cnt[0]
            if (second) {
                bits.signed(); // delta_pic_order_cnt[1]
            }
        }
    }

    /** ref_pic_list_modification, 7.3.3.1. */
    private static void skipModification(H264Bits bits) {
        if (!bits.flag()) {
            return;
        }
        for (int i = 0; i < MOST_OPERATIONS && !bits.isExhausted(); i++) {
            if (bits.unsigned() == 3) {
                return;
            }
            bits.unsigned(); // abs_diff_pic_num_minus1 or long_term_pic_num
        }
    }

    /** pred_weight_table, 7.3.3.2. */
    private static void skipWeights(H264Bits bits, boolean chroma, long references0, long references1) {
        bits.unsigned(); // luma_log2_weight_denom
        if (chroma) {
            bits.unsigned(); // chroma_log2_weight_denom
        }
        for (long i = 0; i < references0 + references1 && !bits.isExhausted(); i++) {
            if (bits.flag()) {
                bits.signed(); // luma weight
                bits.signed(); // luma offset
            }
            if (chroma && bits.flag()) {
                bits.signed();
                bits.signed();
                bits.signed();
                bits.signed();
            }
        }
    }

    /** dec_ref_pic_marking, 7.3.3.3, of a picture that is not IDR. */
    private static boolean marksReset(H264Bits bits) {
        if (!bits.flag()) { // adaptive_ref_pic_marking_mode_flag
            return false;
        }
        boolean reset = false;
        for (int i = 0; i < MOST_OPERATIONS && !bits.isExhausted(); i++) {
            long operation = bits.unsigned();
            if (operation == 0) {
                return reset && !bits.isExhausted();
            }
            reset |= operation == 5;
            if (operation != 5) {
                bits.unsigned(); // difference_of_pic_nums_minus1, long_term_pic_num or an index
            }
            if (operation == 3) {
                bits.unsigned(); // long_term_frame_idx
            }
        }
        return false;
    }
}
