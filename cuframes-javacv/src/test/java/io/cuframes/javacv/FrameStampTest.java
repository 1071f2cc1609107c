// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A stamp is read as it was written, and what is no whole stamp is not taken for one. */
class FrameStampTest {
    @ParameterizedTest
    @CsvSource({
        "160, 96, 160",
        "176, 144, 256",
        "640, 360, 768",
        "1280, 720, 1280",
        "1920, 1080, 2048",
        "3840, 2160, 3840",
        "642, 98, 700"
    })
    void isReadAsItWasWritten(int width, int height, int pitch) {
        MemorySegment luma = MemorySegment.ofArray(new byte[pitch * height]);
        for (long number : new long[] {0, 1, 2, 255, 256, 65_537, 0x5555_5555L, 0xAAAA_AAAAL, 0xFFFF_FFFFL}) {
            FrameStamp.write(luma, pitch, width, height, number);
            assertEquals(number, FrameStamp.read(luma, pitch, width, height));
        }
    }

    @Test
    void wrapsAfter32Bits() {
        MemorySegment luma = MemorySegment.ofArray(new byte[320 * 240]);
        FrameStamp.write(luma, 320, 320, 240, (1L << 32) + 7);
        assertEquals(7, FrameStamp.read(luma, 320, 320, 240));
    }

    @ParameterizedTest
    @ValueSource(ints = {60, 120, 200})
    void twoFramesMixedAtAnyOfTheGapsAreTorn(int row) {
        byte[] older = stamped(41);
        byte[] newer = stamped(42);
        System.arraycopy(newer, 0, older, 0, row * 320);
        assertEquals(FrameStamp.TORN, FrameStamp.read(MemorySegment.ofArray(older), 320, 320, 240));
    }

    @Test
    void mixedAtAnyRowIsNeverTakenForWhole() {
        for (int row = 1; row < 240; row++) {
            byte[] mixed = stamped(0x1234_5678L);
            System.arraycopy(stamped(0x8765_4321L), 0, mixed, 0, row * 320);
            long read = FrameStamp.read(MemorySegment.ofArray(mixed), 320, 320, 240);
            // Within half a block of the picture's edge the other frame is too little to be seen.
            boolean wholeStamp = (read == 0x8765_4321L && row >= 232) || (read == 0x1234_5678L && row <= 8);
            assertEquals(true, wholeStamp || read < 0, "row " + row + " gave " + read);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 16, 128, 235, 255})
    void aFrameOfOneColourIsUnreadable(int sample) {
        byte[] luma = new byte[320 * 240];
        Arrays.fill(luma, (byte) sample);
        assertEquals(FrameStamp.UNREADABLE, FrameStamp.read(MemorySegment.ofArray(luma), 320, 320, 240));
    }

    @Test
    void noiseIsUnreadable() {
        Random random = new Random(1);
        byte[] luma = new byte[320 * 240];
        for (int i = 0; i < 100; i++) {
            random.nextBytes(luma);
            assertEquals(FrameStamp.UNREADABLE, FrameStamp.read(MemorySegment.ofArray(luma), 320, 320, 240));
        }
    }

    @Test
    void aPictureTooSmallIsRefused() {
        MemorySegment luma = MemorySegment.ofArray(new byte[160 * 96]);
        assertThrows(IllegalArgumentException.class, () -> FrameStamp.write(luma, 160, 158, 96, 1));
        assertThrows(IllegalArgumentException.class, () -> FrameStamp.read(luma, 160, 160, 94));
        assertThrows(IndexOutOfBoundsException.class, () -> FrameStamp.read(luma, 176, 160, 96));
    }

    private static byte[] stamped(long number) {
        byte[] luma = new byte[320 * 240];
        FrameStamp.write(MemorySegment.ofArray(luma), 320, 320, 240, number);
        return luma;
    }
}
