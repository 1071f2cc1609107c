// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The NAL units of a raw H.264 or HEVC file, to be damaged: each from its start code, 00 00 01, to the next. */
final class NalUnits {
    private static final int START_CODE = 3;

    private final boolean hevc;
    private final List<byte[]> units = new ArrayList<>();

    private NalUnits(boolean hevc) {
        this.hevc = hevc;
    }

    static NalUnits of(Path file, boolean hevc) throws IOException {
        NalUnits all = new NalUnits(hevc);
        byte[] bytes = Files.readAllBytes(file);
        int begin = -1;
        for (int i = 0; i + START_CODE <= bytes.length; i++) {
            if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1) {
                if (begin >= 0) {
                    all.units.add(Arrays.copyOfRange(bytes, begin, i));
                }
                begin = i;
            }
        }
        all.units.add(Arrays.copyOfRange(bytes, begin, bytes.length));
        return all;
    }

    /** All of them. To be changed by whoever wants to. */
    List<byte[]> units() {
        return units;
    }

    /** The unit's type. */
    int type(byte[] unit) {
        return hevc ? (unit[START_CODE] >> 1) & 63 : unit[START_CODE] & 31;
    }

    boolean isSlice(byte[] unit) {
        int type = type(unit);
        return hevc ? type < 32 : type == 1 || type == 5;
    }

    /** Where slices are among the units. */
    List<Integer> slices() {
        List<Integer> slices = new ArrayList<>();
        for (int i = 0; i < units.size(); i++) {
            if (isSlice(units.get(i))) {
                slices.add(i);
            }
        }
        return slices;
    }

    Path write(Path file) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] unit : units) {
            bytes.write(unit);
        }
        return Files.write(file, bytes.toByteArray());
    }
}
