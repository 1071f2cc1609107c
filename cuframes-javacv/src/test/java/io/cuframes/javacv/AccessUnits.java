// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The pictures of an Annex B file, H.264 or HEVC, each as the NAL units that make it up. Immutable, except that the arrays are not copied.
 *
 * <p>A picture ends where a slice says that it is the first of the next one, or where a NAL unit comes that stands before slices: ITU-T H.264 7.4.1.2.3
 * and H.265 7.4.2.4.4, as far as encoders make use of them.
 */
final class AccessUnits {
    private static final int H264_SLICE = 1;
    private static final int H264_IDR = 5;
    private static final int HEVC_FIRST_IRAP = 16;
    private static final int HEVC_LAST_IRAP = 23;
    private static final int HEVC_FIRST_NON_VCL = 32;
    private static final int HEVC_SUFFIX_SEI = 40;

    /** The NAL units of one picture, without start codes. */
    record Unit(List<byte[]> nals, boolean key) {}

    private final boolean hevc;
    private final List<Unit> units = new ArrayList<>();
    private final List<byte[]> parameterSets = new ArrayList<>();

    /** Reads a file; its ending says the codec: h265 or hevc, else H.264. */
    static AccessUnits of(Path file) {
        String name = file.getFileName().toString();
        try {
            return new AccessUnits(Files.readAllBytes(file), name.endsWith(".hevc") || name.endsWith(".h265"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private AccessUnits(byte[] bytes, boolean hevc) {
        this.hevc = hevc;
        List<byte[]> nals = new ArrayList<>();
        boolean hasSlice = false;
        for (byte[] nal : split(bytes)) {
            if (isParameterSet(nal) && parameterSets.stream().noneMatch(known -> type(known) == type(nal))) {
                parameterSets.add(nal);
            }
            if (hasSlice && beginsUnit(nal)) {
                add(nals);
                nals = new ArrayList<>();
                hasSlice = false;
            }
            nals.add(nal);
            hasSlice |= isSlice(nal);
        }
        if (hasSlice) {
            add(nals);
        }
    }

    private void add(List<byte[]> nals) {
        units.add(new Unit(List.copyOf(nals), nals.stream().anyMatch(this::isKey)));
    }

    /** The bytes between start codes, without the zeros that may follow. */
    private static List<byte[]> split(byte[] bytes) {
        List<byte[]> nals = new ArrayList<>();
        int start = -1;
        for (int at = 0; at + 2 < bytes.length; at++) {
            if (bytes[at] == 0 && bytes[at + 1] == 0 && bytes[at + 2] == 1) {
                addTrimmed(nals, bytes, start, at);
                start = at + 3;
            }
        }
        addTrimmed(nals, bytes, start, bytes.length);
        return nals;
    }

    private static void addTrimmed(List<byte[]> nals, byte[] bytes, int start, int end) {
        int trimmed = end;
        while (trimmed > start && start >= 0 && bytes[trimmed - 1] == 0) {
            trimmed--;
        }
        if (start >= 0 && trimmed > start) {
            nals.add(Arrays.copyOfRange(bytes, start, trimmed));
        }
    }

    private boolean beginsUnit(byte[] nal) {
        if (isSlice(nal)) {
            return (nal[hevc ? 2 : 1] & 0x80) != 0; // the flag, or the number 0, that says: the first slice
        }
        return !hevc || type(nal) != HEVC_SUFFIX_SEI;
    }

    int type(byte[] nal) {
        return hevc ? (nal[0] >> 1) & 63 : nal[0] & 31;
    }

    private boolean isSlice(byte[] nal) {
        return hevc ? type(nal) < HEVC_FIRST_NON_VCL : type(nal) == H264_SLICE || type(nal) == H264_IDR;
    }

    private boolean isKey(byte[] nal) {
        return hevc ? type(nal) >= HEVC_FIRST_IRAP && type(nal) <= HEVC_LAST_IRAP : type(nal) == H264_IDR;
    }

    private boolean isParameterSet(byte[] nal) {
        return hevc ? type(nal) >= 32 && type(nal) <= 34 : type(nal) == 7 || type(nal) == 8;
    }

    boolean hevc() {
        return hevc;
    }

    int size() {
        return units.size();
    }

    /** The pictures over and over. */
    Unit get(long index) {
        return units.get((int) (index % units.size()));
    }

    /** The first of each kind: SPS and PPS of H.264; VPS, SPS and PPS of HEVC. */
    List<byte[]> parameterSets() {
        return parameterSets;
    }

    /** The first picture from this one on that needs no other. */
    long keyFrom(long index) {
        for (long at = index; at < index + units.size(); at++) {
            if (get(at).key()) {
                return at;
            }
        }
        throw new IllegalStateException("the clip has no key frame");
    }

    /** A picture that no decoder takes: one slice, whose header names a parameter set that does not exist, and random bytes. */
    Unit noise(byte[] random) {
        ByteArrayOutputStream nal = new ByteArrayOutputStream();
        if (hevc) {
            nal.writeBytes(new byte[] {0x02, 0x01, (byte) 0x80, (byte) 0x80}); // pps_id from 127 on, of 64
        } else {
            nal.writeBytes(new byte[] {0x41, (byte) 0xC0, 0x40}); // first_mb 0, a P slice, pps_id from 127 on
        }
        nal.writeBytes(random);
        return new Unit(List.of(nal.toByteArray()), false);
    }
}
