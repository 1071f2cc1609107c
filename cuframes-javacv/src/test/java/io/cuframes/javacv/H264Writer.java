// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.ByteArrayOutputStream;

/** Writes the beginnings of H.264's units, for what no encoder at hand makes: field pictures, and numbers that begin again. */
final class H264Writer {
    private final ByteArrayOutputStream raw = new ByteArrayOutputStream();
    private int current;
    private int used;

    private H264Writer(int header) {
        bits(header, 8);
    }

    private H264Writer bits(long value, int count) {
        for (int i = count - 1; i >= 0; i--) {
            current = current << 1 | (int) (value >> i & 1);
            if (++used == 8) {
                raw.write(current);
                current = 0;
                used = 0;
            }
        }
        return this;
    }

    private H264Writer unsigned(int value) {
        int length = 32 - Integer.numberOfLeadingZeros(value + 1);
        return bits(0, length - 1).bits(value + 1, length);
    }

    /** The unit behind a start code, with bytes that keep start codes out of it. */
    private byte[] unit() {
        bits(1, 1);
        while (used != 0) {
            bits(0, 1);
        }
        ByteArrayOutputStream unit = new ByteArrayOutputStream();
        unit.writeBytes(new byte[] {0, 0, 0, 1});
        int zeros = 0;
        for (byte each : raw.toByteArray()) {
            if (zeros >= 2 && each >= 0 && each <= 3) {
                unit.write(3);
                zeros = 0;
            }
            unit.write(each);
            zeros = each == 0 ? zeros + 1 : 0;
        }
        return unit.toByteArray();
    }

    /** Main profile, 16 numbers, order type 2, 20 by 15 macroblocks. */
    static byte[] sequenceSet(boolean gapsAllowed, boolean framesOnly) {
        H264Writer writer = new H264Writer(0x67)
                .bits(77, 8)
                .bits(0, 16)
                .unsigned(0) // seq_parameter_set_id
                .unsigned(0) // log2_max_frame_num_minus4
                .unsigned(2) // pic_order_cnt_type
                .unsigned(4)
                .bits(gapsAllowed ? 1 : 0, 1)
                .unsigned(19)
                .unsigned(14)
                .bits(framesOnly ? 1 : 0, 1);
        return writer.bits(framesOnly ? 0 : 1, framesOnly ? 0 : 1).bits(8, 4).unit();
    }

    static byte[] pictureSet() {
        return new H264Writer(0x68)
                .unsigned(0)
                .unsigned(0)
                .bits(0, 2)
                .unsigned(0)
                .unsigned(0)
                .unsigned(0)
                .bits(0, 3)
                .unsigned(0) // three signed zeros
                .unsigned(0)
                .unsigned(0)
                .bits(0, 3)
                .unit();
    }

    /** An IDR picture. */
    static byte[] idr(boolean framesOnly) {
        H264Writer writer =
                new H264Writer(0x65).unsigned(0).unsigned(7).unsigned(0).bits(0, 4);
        return writer.bits(0, framesOnly ? 0 : 1).unsigned(0).bits(0, 2).unit();
    }

    /** A P picture of frames; reset for memory_management_control_operation 5. */
    static byte[] picture(int number, boolean reference, boolean reset) {
        H264Writer writer = new H264Writer(reference ? 0x61 : 0x01)
                .unsigned(0)
                .unsigned(5)
                .unsigned(0)
                .bits(number, 4);
        writer.bits(0, 2); // one reference, not reordered
        if (reference) {
            writer.bits(reset ? 1 : 0, 1);
            if (reset) {
                writer.unsigned(1).unsigned(0).unsigned(5).unsigned(0);
            }
        }
        return writer.unit();
    }

    /** A P field. */
    static byte[] field(int number, boolean reference, boolean bottom) {
        return new H264Writer(reference ? 0x61 : 0x01)
                .unsigned(0)
                .unsigned(5)
                .unsigned(0)
                .bits(number, 4)
                .bits(bottom ? 3 : 2, 2)
                .bits(0, 3)
                .unit();
    }
}
