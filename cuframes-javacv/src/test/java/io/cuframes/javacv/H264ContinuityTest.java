// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_DATA_NEW_EXTRADATA;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_new_side_data;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A reference picture that is missing is noticed, and no stream that is whole is suspected. */
@Timeout(120)
class H264ContinuityTest {
    private static final String PICTURE = "testsrc2=size=160x96:rate=25";

    @TempDir
    private Path directory;

    /** A stream's packets. */
    private static final class Stream {
        private final byte @Nullable [] extradata;
        private final List<byte[]> packets;

        Stream(byte @Nullable [] extradata, List<byte[]> packets) {
            this.extradata = extradata;
            this.packets = packets;
        }

        static Stream of(Path file) {
            List<byte[]> packets = new ArrayList<>();
            try (BareDecoder decoder = new BareDecoder(file, 1)) {
                AVCodecParameters parameters = decoder.parameters();
                byte[] extradata = new byte[parameters.extradata_size()];
                if (extradata.length > 0) {
                    parameters.extradata().get(extradata);
                }
                decoder.read(packet -> {
                    byte[] bytes = new byte[packet.size()];
                    packet.data().get(bytes);
                    packets.add(bytes);
                });
                return new Stream(extradata, packets);
            }
        }

        /** How often something is missing if these packets are; -1 for none. */
        int gapsWithout(int first, int last) {
            try (H264Continuity continuity =
                    new H264Continuity(extradata == null ? null : MemorySegment.ofArray(extradata))) {
                int gaps = 0;
                for (int i = 0; i < packets.size(); i++) {
                    if (i < first || i > last) {
                        gaps += continuity.missesReference(MemorySegment.ofArray(packets.get(i))) ? 1 : 0;
                    }
                }
                return gaps;
            }
        }

        int gaps() {
            return gapsWithout(-1, -1);
        }

        /** The first slice's header byte, behind a start code or a length of four bytes. */
        int sliceHeader(int number, boolean behindLengths) {
            byte[] bytes = packets.get(number);
            int i = 0;
            while (true) {
                if (behindLengths) {
                    int length = ByteBuffer.wrap(bytes).getInt(i);
                    if (isSlice(bytes[i + 4])) {
                        return bytes[i + 4];
                    }
                    i += 4 + length;
                } else {
                    if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1 && isSlice(bytes[i + 3])) {
                        return bytes[i + 3];
                    }
                    i++;
                }
            }
        }

        private static boolean isSlice(int header) {
            return (header & 31) == 1 || (header & 31) == 5;
        }
    }

    private Path clip(String name, int frames, String options) throws Exception {
        return Clips.program(
                directory.resolve(name), PICTURE, frames, options.trim().split(" +"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-c:v libx264",
                "-c:v libx264 -bf 3 -refs 5 -x264-params b-pyramid=normal:keyint=30",
                "-c:v libx264 -bf 5 -x264-params b-pyramid=strict:b-adapt=0:keyint=25",
                "-c:v libx264 -bf 3 -x264-params open-gop=1:keyint=12:min-keyint=12",
                "-c:v libx264 -x264-params interlaced=1:tff=1:keyint=30",
                "-c:v libx264 -x264-params bff=1:bframes=0",
                "-c:v libx264 -x264-params fake-interlaced=1",
                "-c:v libx264 -bf 0 -x264-params intra-refresh=1:keyint=20",
                "-c:v libx264 -x264-params slices=4:keyint=20",
                "-c:v libx264 -x264-params slice-max-size=300",
                "-c:v libx264 -g 1",
                "-c:v libx264 -g 10 -profile:v baseline -preset ultrafast",
                "-c:v libx264 -x264-params weightp=2:weightb=1:ref=8:me=hex:nal-hrd=vbr:vbv-maxrate=500:vbv-bufsize=500",
                "-c:v libx264 -x264-params bluray-compat=1:open-gop=1:slices=4:keyint=25:level=40:vbv-maxrate=500:vbv-bufsize=500",
                "-c:v libx264 -x264-params sps-id=5:aud=1:repeat-headers=1:keyint=9",
                "-c:v libx264 -pix_fmt yuv444p -x264-params cqm=jvt",
                "-c:v libx264 -pix_fmt yuv420p10le -x264-params cqm=jvt:keyint=30",
                "-c:v libx264 -pix_fmt gray -x264-params weightp=2",
                "-c:v libopenh264 -b:v 200k -g 30"
            })
    void whatIsWholeIsNotSuspected(String options) throws Exception {
        for (String name : new String[] {"clip.h264", "clip.mp4"}) {
            Stream stream = Stream.of(clip(name, 110, options));
            assertTrue(stream.packets.size() >= 110, "packets: " + stream.packets.size());
            assertEquals(0, stream.gaps(), name);
        }
    }

    @Test
    void parameterSetsMayChange() throws Exception {
        Path first = clip("first.h264", 30, "-c:v libx264 -x264-params keyint=300");
        Path second = clip("second.h264", 30, "-s 320x240 -c:v libx264 -bf 0 -x264-params interlaced=1:keyint=1000");
        Path third = Clips.concatenate(directory.resolve("third.h264"), first, second);
        Stream stream = Stream.of(Clips.concatenate(directory.resolve("all.h264"), third, first));
        assertEquals(90, stream.packets.size());
        assertEquals(0, stream.gaps());
    }

    @ParameterizedTest
    @CsvSource({
        "clip.h264, false, -c:v libx264 -bf 0 -x264-params keyint=30",
        "clip.h264, false, -c:v libx264 -bf 3 -refs 4 -x264-params b-pyramid=normal:keyint=30:slices=3",
        "clip.mp4, true, -c:v libx264 -bf 3 -x264-params keyint=30:weightp=2",
        "clip.mkv, true, -c:v libx264 -x264-params interlaced=1:keyint=30",
        "clip.ts, false, -c:v libx264 -bf 0 -x264-params keyint=30:intra-refresh=1"
    })
    void aReferencePictureThatIsMissingIsNoticedOnce(String name, boolean behindLengths, String options)
            throws Exception {
        Stream stream = Stream.of(clip(name, 60, options));
        int last = stream.packets.size() - 1;
        int references = 0;
        for (int lost = 1; lost < last; lost++) {
            int header = stream.sliceHeader(lost, behindLengths);
            boolean reference = (header >> 5 & 3) != 0;
            boolean followedByIdr = (stream.sliceHeader(lost + 1, behindLengths) & 31) == 5;
            if ((header & 31) != 5 && !followedByIdr) {
                assertEquals(reference ? 1 : 0, stream.gapsWithout(lost, lost), "packet " + lost);
                references += reference ? 1 : 0;
            }
        }
        assertTrue(references > 10, "references: " + references);
        assertEquals(1, stream.gapsWithout(10, 14), "five in a row");
    }

    private static Stream made(byte[]... units) {
        return new Stream(null, List.of(units));
    }

    @Test
    void fieldsOfAFrameShareItsNumber() {
        byte[] sets = H264Writer.sequenceSet(false, false);
        List<byte[]> units = new ArrayList<>(List.of(sets, H264Writer.pictureSet(), H264Writer.idr(false)));
        units.add(H264Writer.field(0, true, true)); // the IDR picture's second field
        for (int i = 1; i < 40; i++) {
            units.add(H264Writer.field(i % 16, true, false));
            units.add(H264Writer.field(i % 16, true, true));
            units.add(H264Writer.field((i + 1) % 16, false, false));
            units.add(H264Writer.field((i + 1) % 16, false, true));
        }
        Stream stream = new Stream(null, units);
        assertEquals(0, stream.gaps());
        assertEquals(1, stream.gapsWithout(8, 9), "both fields of a reference frame");
        assertEquals(0, stream.gapsWithout(10, 11), "both fields of a frame that no other refers to");
    }

    @Test
    void numbersThatBeginAgainAreNoGap() {
        byte[][] units = {
            H264Writer.sequenceSet(false, true),
            H264Writer.pictureSet(),
            H264Writer.idr(true),
            H264Writer.picture(1, true, false),
            H264Writer.picture(2, true, false),
            H264Writer.picture(3, true, true),
            H264Writer.picture(1, false, false),
            H264Writer.picture(1, true, false),
            H264Writer.picture(2, true, false)
        };
        assertEquals(0, made(units).gaps());
        assertEquals(1, made(units).gapsWithout(4, 4));
        assertEquals(1, made(units).gapsWithout(7, 7));
    }

    @Test
    void whoLeavesNumbersOutIsNotJudged() {
        for (boolean gapsAllowed : new boolean[] {true, false}) {
            Stream stream = made(
                    H264Writer.sequenceSet(gapsAllowed, true),
                    H264Writer.pictureSet(),
                    H264Writer.idr(true),
                    H264Writer.picture(2, true, false),
                    H264Writer.picture(4, true, false));
            assertEquals(gapsAllowed ? 0 : 2, stream.gaps());
        }
    }

    @Test
    void whatComesBeforeIsForgottenAfterASeek() {
        try (H264Continuity continuity = new H264Continuity((MemorySegment) null)) {
            continuity.missesReference(MemorySegment.ofArray(H264Writer.sequenceSet(false, true)));
            continuity.missesReference(MemorySegment.ofArray(H264Writer.pictureSet()));
            continuity.missesReference(MemorySegment.ofArray(H264Writer.idr(true)));
            continuity.restart();
            assertFalse(continuity.missesReference(MemorySegment.ofArray(H264Writer.picture(9, true, false))));
            assertTrue(continuity.missesReference(MemorySegment.ofArray(H264Writer.picture(12, true, false))));
        }
    }

    @Test
    void ffmpegsPacketsAreReadWhereTheyLie() throws Exception {
        Path clip = clip("clip.mp4", 40, "-c:v libx264 -bf 0 -x264-params keyint=100");
        int[] seen = {0, 0};
        try (BareDecoder decoder = new BareDecoder(clip, 1);
                H264Continuity continuity = new H264Continuity(decoder.parameters())) {
            decoder.read(packet -> {
                if (seen[0]++ != 20 && continuity.missesReference(packet)) {
                    seen[1]++;
                }
            });
        }
        assertEquals(40, seen[0]);
        assertEquals(1, seen[1]);
    }

    @Test
    void parameterSetsMayComeBesideAPacket() throws Exception {
        Path clip = clip("clip.mp4", 40, "-c:v libx264 -bf 0 -x264-params keyint=100");
        int[] seen = {0, 0};
        try (BareDecoder decoder = new BareDecoder(clip, 1);
                H264Continuity continuity = new H264Continuity((MemorySegment) null)) {
            AVCodecParameters parameters = decoder.parameters();
            decoder.read(packet -> {
                if (seen[0] == 10) {
                    BytePointer sets =
                            av_packet_new_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, parameters.extradata_size());
                    Pointer.memcpy(sets, parameters.extradata(), parameters.extradata_size());
                }
                boolean lost = seen[0] == 5 || seen[0] == 20;
                seen[0]++;
                if (!lost && continuity.missesReference(packet)) {
                    seen[1]++;
                }
            });
        }
        assertEquals(1, seen[1], "the first loss was before the parameter sets, the second behind them");
    }

    @Test
    void withoutParameterSetsNothingIsJudged() {
        assertEquals(
                0,
                made(H264Writer.picture(3, true, false), H264Writer.picture(7, true, false))
                        .gaps());
    }

    @Test
    void nothingThatIsSentMakesItThrow() throws Exception {
        Random random = new Random(42);
        List<Stream> streams = List.of(
                Stream.of(clip("fuzz.h264", 20, "-c:v libx264 -x264-params weightp=2:slices=2:cqm=jvt")),
                Stream.of(clip("fuzz.mp4", 20, "-c:v libx264 -bf 3 -x264-params interlaced=1")));
        for (int round = 0; round < 4000; round++) {
            Stream stream = streams.get(round % 2);
            byte[] extradata = harmed(stream.extradata, random);
            try (H264Continuity continuity = new H264Continuity(MemorySegment.ofArray(extradata))) {
                for (byte[] packet : stream.packets) {
                    continuity.missesReference(MemorySegment.ofArray(harmed(packet, random)));
                }
                byte[] noise = new byte[random.nextInt(300)];
                random.nextBytes(noise);
                continuity.missesReference(MemorySegment.ofArray(noise));
            }
        }
    }

    /** Mostly the same bytes: with others among the first, where the headers are, or cut. */
    private static byte[] harmed(byte[] bytes, Random random) {
        byte[] harmed = Arrays.copyOf(bytes, Math.min(bytes.length, 1 + random.nextInt(400)));
        for (int i = random.nextInt(6); i > 0; i--) {
            harmed[random.nextInt(Math.min(harmed.length, 80))] = (byte) random.nextInt();
        }
        return harmed;
    }
}
