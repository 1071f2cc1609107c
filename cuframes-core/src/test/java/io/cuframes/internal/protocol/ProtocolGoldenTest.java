// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ColorInfo;
import io.cuframes.FrameFormat;
import io.cuframes.Ownership;
import io.cuframes.PixelFormat;
import io.cuframes.PublishPolicy;
import io.cuframes.SubscriberMode;
import io.cuframes.TimeBase;
import io.cuframes.Transport;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Pins the protocol: the code to docs/protocol.md, field by field, and both to bytes written down here. */
class ProtocolGoldenTest {
    private static final Path DOCUMENT = Path.of("../docs/protocol.md");
    private static final Pattern HEADING = Pattern.compile("#{2,3} (\\d+(?:\\.\\d+)?)\\.? .*");
    private static final Pattern FIELD = Pattern.compile("\\| (\\d+) \\| (\\S+) \\| ([a-z_ ]+) \\|.*");
    private static final Pattern TYPE = Pattern.compile("([ui])(\\d+)(?:\\[(\\d+)])?");

    /** A row of section 3.2: code, name, component bytes, planes, width and height. */
    private static final Pattern FORMAT =
            Pattern.compile("\\| (\\d+) \\| (\\w+) \\| (\\d) \\| (width × height of [^|]+) \\| (even|any) \\|");

    private static final Pattern PLANE = Pattern.compile("width(/2)? × height(/2)? of \\(([A-Z, ]+)\\)");

    private record DocumentField(long offset, String type, String name) {}

    /** The fields of each section's table. */
    private static Map<String, List<DocumentField>> document() throws IOException {
        Map<String, List<DocumentField>> sections = new TreeMap<>();
        String section = "";
        for (String line : Files.readAllLines(DOCUMENT)) {
            Matcher heading = HEADING.matcher(line);
            Matcher field = FIELD.matcher(line);
            if (heading.matches()) {
                section = heading.group(1);
            } else if (field.matches()) {
                sections.computeIfAbsent(section, key -> new ArrayList<>())
                        .add(new DocumentField(Long.parseLong(field.group(1)), field.group(2), field.group(3)));
            }
        }
        return sections;
    }

    /** The fields that a descriptor class names by constants of the form PREFIX_NAME_OFFSET. */
    private static Map<String, Long> code(Class<?> descriptor, String prefix) throws IllegalAccessException {
        Map<String, Long> fields = new TreeMap<>();
        for (Field field : descriptor.getFields()) {
            String name = field.getName();
            if (name.startsWith(prefix) && name.endsWith("_OFFSET")) {
                String bare = name.substring(prefix.length(), name.length() - "_OFFSET".length());
                fields.put(bare.toLowerCase(Locale.ROOT), ((Number) field.get(null)).longValue());
            }
        }
        return fields;
    }

    private static Map<String, Long> named(List<DocumentField> fields) {
        Map<String, Long> named = new TreeMap<>();
        for (DocumentField field : fields) {
            if (!field.name().equals("reserved")) {
                named.put(field.name().replace(' ', '_'), field.offset());
            }
        }
        return named;
    }

    @Test
    void everyFieldOfTheDocumentIsWhereTheCodeHasIt() throws Exception {
        Map<String, List<DocumentField>> sections = document();
        Map<String, Long> segment = code(SegmentDescriptor.class, "");
        Map<String, Long> documented = named(sections.get("3.1"));
        documented.put("plane_table", 192L); // its row is not of one type
        documented.putAll(named(sections.get("3.4")));
        documented.put("index", 1024L); // section 3's own table
        documented.put("slot_table", 2048L);
        assertEquals(documented, segment);
        assertEquals(named(sections.get("3.3")), code(PlaneDescriptor.class, ""));
        assertEquals(named(sections.get("3.6")), code(SlotDescriptor.class, ""));
        Map<String, Long> control = code(ControlDescriptor.class, "");
        control.put("lease", control.remove("leases"));
        assertEquals(named(sections.get("4")), control);
        Map<String, Long> header = code(MessageDescriptor.class, "");
        assertEquals(Map.of("length", header.get("length"), "type", header.get("type")), named(sections.get("6")));
        assertEquals(named(sections.get("6.1")), code(MessageDescriptor.class, "HELLO_"));
        assertEquals(named(sections.get("6.2")), code(MessageDescriptor.class, "WELCOME_"));
        Map<String, Long> reject = code(MessageDescriptor.class, "REJECT_");
        reject.remove("text"); // follows the fields
        assertEquals(named(sections.get("6.3")), reject);
        assertEquals(named(sections.get("6.4")), code(MessageDescriptor.class, "BYE_"));
        assertEquals(named(sections.get("6.8")), code(ObservationDescriptor.class, "OBSERVED_"));
        assertEquals(named(sections.get("6.9")), code(ObservationDescriptor.class, "READER_"));
    }

    @Test
    void theFieldsOfTheDocumentDoNotOverlapAndAreAligned() throws IOException {
        for (Map.Entry<String, List<DocumentField>> section : document().entrySet()) {
            long end = 0;
            for (DocumentField field : section.getValue()) {
                Matcher type = TYPE.matcher(field.type());
                if (!type.matches()) {
                    continue; // a table of plane descriptors
                }
                long width = Long.parseLong(type.group(2)) / 8;
                String where = section.getKey() + " " + field;
                assertTrue(field.offset() >= end, where + " begins before " + end);
                assertEquals(0, field.offset() % width, where + " is not aligned");
                end = field.offset() + width * (type.group(3) == null ? 1 : Long.parseLong(type.group(3)));
            }
        }
    }

    @Test
    void theNumbersAreThoseOfTheDocument() throws IOException {
        String text = Files.readString(DOCUMENT);
        assertTrue(text.contains(
                "# The cuframes protocol, version " + SegmentDescriptor.MAJOR + "." + SegmentDescriptor.MINOR));
        assertEquals("CUFRAMES", ascii(SegmentDescriptor.MAGIC, 8));
        assertEquals("CUFRCTRL", ascii(ControlDescriptor.MAGIC, 8));
        assertEquals("CUFH", ascii(MessageDescriptor.HELLO_MAGIC, 4));
        assertTrue(text.contains(Transport.HOST.code() + " HOST, " + Transport.CUDA_IPC.code() + " CUDA_IPC, "
                + Transport.CUDA_VMM.code() + " CUDA_VMM"));
        assertTrue(text.contains("The last " + SegmentDescriptor.VMM_TAIL + " bytes are no slot's"));
        assertTrue(text.contains(SegmentDescriptor.STATE_INITIALIZING + " INITIALIZING, "
                + SegmentDescriptor.STATE_READY + " READY, " + SegmentDescriptor.STATE_ENDED + " ENDED"));
        assertTrue(text.contains(SubscriberMode.NEWEST_ONLY.code() + " NEWEST_ONLY, "
                + SubscriberMode.STRICT_ORDER.code() + " STRICT_ORDER"));
        assertTrue(text.contains(MessageDescriptor.HELLO + " HELLO, " + MessageDescriptor.WELCOME + " WELCOME, "
                + MessageDescriptor.REJECT + " REJECT, " + MessageDescriptor.BYE + " BYE, " + MessageDescriptor.READY
                + " READY, " + ObservationDescriptor.OBSERVED + " OBSERVED, " + ObservationDescriptor.READER
                + " READER"));
        assertTrue(text.contains(SubscriberMode.STRICT_ORDER.code() + " STRICT_ORDER, "
                + ObservationDescriptor.MODE_OBSERVE + " OBSERVE: "));
        assertTrue(text.contains(
                "6.8 OBSERVED, publisher to observer, " + ObservationDescriptor.OBSERVED_LENGTH + " bytes"));
        assertTrue(
                text.contains("6.9 READER, publisher to observer, " + ObservationDescriptor.READER_LENGTH + " bytes"));
        assertTrue(text.contains("READER messages that follow, 0 to " + ObservationDescriptor.MAX_READERS + " |"));
        assertTrue(text.contains("bits: " + ObservationDescriptor.READER_READY + " READY: "));
        assertTrue(text.contains("; " + ObservationDescriptor.READER_WAITING + " WAITING: "));
        assertTrue(text.contains("; " + ObservationDescriptor.READER_STALLED + " STALLED: "));
        assertTrue(text.contains(Ownership.LIBRARY.code() + " LIBRARY: the publisher made the ring; "
                + Ownership.EXTERNAL.code() + " EXTERNAL"));
        assertTrue(text.contains(PublishPolicy.DROP_OLDEST.code() + " DROP_OLDEST, " + PublishPolicy.DROP_NEWEST.code()
                + " DROP_NEWEST, " + PublishPolicy.STRICT_WAIT.code() + " STRICT_WAIT"));
        assertTrue(text.contains("bits: " + SlotDescriptor.KEY_FRAME + " KEY_FRAME"));
        assertTrue(text.contains("; " + SlotDescriptor.CAPTURE_TIME + " CAPTURE_TIME"));
        assertTrue(text.contains("; " + SlotDescriptor.PTS_BACKWARD + " PTS_BACKWARD"));
        assertTrue(text.contains("; " + SlotDescriptor.DAMAGED + " DAMAGED"));
        assertTrue(text.contains("| damaged | as in the segment, " + ObservationDescriptor.OBSERVED_DAMAGED_MOST));
        assertTrue(text.contains("| 10 | u16 | minor | " + SegmentDescriptor.MINOR + " |\n| 12 | u32 | state |"));
        assertTrue(text.contains("| 10 | u16 | minor | " + SegmentDescriptor.MINOR + " |\n| 12 | u32 | subscriber |"));
        assertTrue(text.contains("| " + SegmentDescriptor.MAJOR + "." + SegmentDescriptor.MINOR + " | "));
        assertTrue(text.contains(MessageDescriptor.BYE_ENDED + " ENDED: "));
        assertTrue(text.contains(MessageDescriptor.BYE_FORMAT_CHANGED + " FORMAT_CHANGED: "));
        assertTrue(text.contains(MessageDescriptor.BYE_STALLED + " STALLED: "));
        StringBuilder codes = new StringBuilder();
        for (RejectCode code : RejectCode.values()) {
            codes.append(codes.isEmpty() ? "" : ", ")
                    .append(code.code())
                    .append(' ')
                    .append(code);
        }
        assertTrue(text.contains(codes));
        assertTrue(text.contains("6.1 HELLO, subscriber to publisher, " + MessageDescriptor.HELLO_LENGTH + " bytes"));
        assertTrue(
                text.contains("6.2 WELCOME, publisher to subscriber, " + MessageDescriptor.WELCOME_LENGTH + " bytes"));
        assertTrue(text.contains("6.5 READY, subscriber to publisher, " + MessageDescriptor.READY_LENGTH + " bytes"));
        assertTrue(text.contains("6.4 BYE, publisher to subscriber, " + MessageDescriptor.BYE_LENGTH + " bytes"));
        assertTrue(text.contains(
                "number of slots, " + SegmentDescriptor.MIN_SLOTS + " to " + SegmentDescriptor.MAX_SLOTS));
        assertTrue(text.contains("2048 + 512 * slots"));
        assertEquals(2048 + 512 * 64, SegmentDescriptor.slotOffset(64));
        assertEquals(8192, SegmentDescriptor.length(6));
        assertEquals(36864, SegmentDescriptor.length(64));
        assertEquals(1024 + 8 * 127, SegmentDescriptor.indexOffset(255));
        assertEquals(512 + 8 * 63, ControlDescriptor.leaseOffset(63));
    }

    private record DocumentFormat(String name, int code, int componentBytes, List<String> planes, boolean even) {}

    private static DocumentFormat documented(Matcher row) {
        return new DocumentFormat(
                row.group(2),
                Integer.parseInt(row.group(1)),
                Integer.parseInt(row.group(3)),
                Stream.of(row.group(4).split("; ", -1))
                        .map(ProtocolGoldenTest::planeInWords)
                        .toList(),
                row.group(5).equals("even"));
    }

    private static String planeInWords(String cell) {
        Matcher plane = PLANE.matcher(cell);
        assertTrue(plane.matches(), cell);
        assertEquals(plane.group(1), plane.group(2), cell);
        return "1/" + (plane.group(1) == null ? 1 : 2) + " of " + plane.group(3).split(", ", -1).length;
    }

    private static DocumentFormat coded(PixelFormat format) {
        return new DocumentFormat(
                format.name(),
                format.code(),
                format.componentBytes(),
                IntStream.range(0, format.planeCount())
                        .mapToObj(plane -> "1/" + format.subsampling(plane) + " of " + format.components(plane))
                        .toList(),
                format.needsEvenSize());
    }

    @Test
    void thePixelFormatsAreThoseOfTheDocument() throws IOException {
        List<DocumentFormat> documented = Files.readAllLines(DOCUMENT).stream()
                .map(FORMAT::matcher)
                .filter(Matcher::matches)
                .map(ProtocolGoldenTest::documented)
                .toList();
        assertEquals(
                documented,
                Stream.of(PixelFormat.values()).map(ProtocolGoldenTest::coded).toList());
    }

    private static String ascii(long word, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (word >>> (8 * i));
        }
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    @Test
    void aHeaderHasTheseBytes() {
        SegmentHeader header = new SegmentHeader(
                "cam1",
                0x1122334455667788L,
                4711,
                0x0102030405060708L,
                -2,
                PublishPolicy.DROP_NEWEST,
                new TimeBase(1, 90_000),
                FrameFormat.of(PixelFormat.NV12, 1920, 1080, new ColorInfo(1, 13, 6, ColorInfo.Range.LIMITED)),
                new RingLayout(
                        Transport.CUDA_IPC,
                        Ownership.LIBRARY,
                        6,
                        3_317_760,
                        20_971_520,
                        new DeviceUuid(0xA0A1A2A3A4A5A6A7L, 0xB0B1B2B3B4B5B6B7L)));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(SegmentDescriptor.length(6), 8);
            header.write(segment);
            String bytes = HexFormat.of()
                    .formatHex(
                            segment.asSlice(0, SegmentDescriptor.HEADER_LENGTH).toArray(ValueLayout.JAVA_BYTE));
            String expected = String.join(
                    "",
                    "43554652414d4553", // CUFRAMES
                    "0100" + "0100" + "00000000", // 1.1, INITIALIZING
                    "0020000000000000", // segment_length
                    "8877665544332211", // epoch
                    "67120000" + "02000000", // pid, CUDA_IPC
                    "0807060504030201", // created
                    "06000000" + "80000000", // slots, index_entries
                    "01000000" + "02000000", // NV12, planes
                    "80070000" + "38040000", // width, height
                    "010d0601" + "01000000", // colour, LIBRARY
                    "00a0320000000000", // frame_bytes
                    "00a0320000000000", // slot_stride
                    "0000400100000000", // ring_length
                    "01000000" + "905f0100", // timebase
                    "a0a1a2a3a4a5a6a7b0b1b2b3b4b5b6b7", // device_uuid
                    "63616d31" + "00".repeat(60), // key
                    "0000000000000000" + "00080000" + "80070000" + "38040000" + "01000000" + "00".repeat(8), // Y
                    "00c0210000000000" + "00080000" + "c0030000" + "1c020000" + "02000000" + "00".repeat(8), // UV
                    "00".repeat(64), // planes 2 and 3
                    "02000000" + "00000000" + "feffffffffffffff", // DROP_NEWEST, monotonic_offset
                    "00".repeat(176));
            assertEquals(expected, bytes);
        }
    }
}
