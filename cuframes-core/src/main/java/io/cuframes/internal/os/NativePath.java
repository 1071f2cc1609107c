// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Paths as the kernel takes them. A path is bytes; its text is these bytes decoded by the locale, which loses those that the locale does not know
 * (under LANG=C, all beyond ASCII). So a path whose text is not ASCII is taken from its URI, which has the bytes themselves.
 */
final class NativePath {
    private NativePath() {}

    /** A path's bytes, and the zero after them. */
    static MemorySegment of(Path path, Arena arena) {
        byte[] bytes = bytes(path);
        MemorySegment text = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, text, JAVA_BYTE, 0, bytes.length);
        return text;
    }

    /** A path's bytes. One that is relative and beyond ASCII is made absolute. */
    static byte[] bytes(Path path) {
        String text = path.toString();
        if (text.chars().allMatch(c -> c < 0x80)) {
            return text.getBytes(StandardCharsets.US_ASCII);
        }
        String encoded = path.toUri().getRawPath();
        int end = encoded.endsWith("/") ? encoded.length() - 1 : encoded.length(); // of a directory that is there
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(end);
        for (int i = 0; i < end; i++) {
            char c = encoded.charAt(i);
            if (c == '%') {
                bytes.write(Integer.parseInt(encoded, i + 1, i + 3, 16));
                i += 2;
            } else {
                bytes.write(c);
            }
        }
        return bytes.toByteArray();
    }
}
