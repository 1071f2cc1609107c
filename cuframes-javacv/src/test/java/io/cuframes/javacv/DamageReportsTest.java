// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.av_shrink_packet;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What FFmpeg's log says about damage is counted, for the input that is damaged, and nothing else is. */
@Timeout(120)
class DamageReportsTest {
    private static final String PICTURE = "testsrc2=size=320x240:rate=25";
    private static final int FRAMES = 60;

    @TempDir
    private Path directory;

    private Path raw(String codec, String... more) throws Exception {
        String[] options = Arrays.copyOf(more, more.length + 2);
        options[more.length] = "-c:v";
        options[more.length + 1] = codec;
        return Clips.program(
                directory.resolve(codec.equals("libx265") ? "healthy.hevc" : "healthy.h264"), PICTURE, FRAMES, options);
    }

    private Path hevc() throws Exception {
        return raw("libx265", "-x265-params", "log-level=none:keyint=30:bframes=0");
    }

    /** The same with half of some slices: their frames and those that refer to them are wrong. FFmpeg does not see it of each slice. */
    private Path cut(Path healthy) throws Exception {
        NalUnits units = NalUnits.of(healthy, true);
        for (int number = 15; number < FRAMES; number += 5) {
            int victim = units.slices().get(number);
            byte[] unit = units.units().get(victim);
            units.units().set(victim, Arrays.copyOf(unit, unit.length / 2));
        }
        return units.write(directory.resolve("cut.hevc"));
    }

    @Test
    void aCutSliceOfHevcThatNoFlagTellsOfCounts() throws Exception {
        Path healthy = hevc();
        Path cut = cut(healthy);
        for (int threads : new int[] {1, 4}) {
            try (BareDecoder decoder = new BareDecoder(cut, threads).decode()) {
                assertEquals(FRAMES, decoder.frames());
                assertEquals(0, decoder.flagged(), "FFmpeg's flags tell by now");
                assertTrue(decoder.reports().count() > 0, "not counted with " + threads + " threads");
            }
            try (BareDecoder decoder = new BareDecoder(healthy, threads).decode()) {
                assertEquals(FRAMES, decoder.frames());
                assertEquals(0, decoder.reports().count());
            }
        }
    }

    @Test
    void inputsThatDecodeAtTheSameTimeAreToldApart() throws Exception {
        Path healthy = hevc();
        Path cut = cut(healthy);
        List<CompletableFuture<Long>> damaged = new ArrayList<>();
        List<CompletableFuture<Long>> whole = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            damaged.add(CompletableFuture.supplyAsync(() -> countOf(cut), task -> new Thread(task).start()));
            whole.add(CompletableFuture.supplyAsync(() -> countOf(healthy), task -> new Thread(task).start()));
        }
        long each = countOf(cut);
        assertTrue(each > 0);
        for (CompletableFuture<Long> count : damaged) {
            assertEquals(each, count.get());
        }
        for (CompletableFuture<Long> count : whole) {
            assertEquals(0, count.get());
        }
    }

    private static long countOf(Path file) {
        try (BareDecoder decoder = new BareDecoder(file, 3).decode()) {
            return decoder.reports().count();
        }
    }

    /** What becomes of a packet. */
    enum Harm {
        /** Bytes in its middle are others. */
        FLIP,
        /** Its second half is gone. */
        CUT,
        /** Hardly anything is left. */
        STUB
    }

    private static Consumer<AVPacket> everyFifth(Harm harm) {
        int[] number = {0};
        return packet -> {
            if (number[0]++ % 5 != 3) {
                return;
            }
            if (harm != Harm.FLIP) {
                av_shrink_packet(packet, harm == Harm.CUT ? packet.size() / 2 : 24);
                return;
            }
            BytePointer data = packet.data();
            for (int i = packet.size() / 2; i < Math.min(packet.size(), packet.size() / 2 + 20); i++) {
                data.put(i, (byte) ~data.get(i));
            }
        };
    }

    @ParameterizedTest
    @CsvSource({
        "libx264, clip.mp4, CUT",
        "libx264, clip.ts, FLIP",
        "libx264, clip.ts, CUT",
        "libx265, clip.mp4, CUT",
        "mpeg2video, clip.ts, CUT",
        "mpeg2video, clip.ts, FLIP",
        "mpeg4, clip.avi, CUT",
        "mpeg4, clip.avi, FLIP",
        "mjpeg, clip.avi, CUT",
        "mjpeg, clip.avi, FLIP",
        "libvpx-vp9, clip.mkv, STUB",
        "libvpx, clip.mkv, STUB",
        "libaom-av1, clip.mkv, FLIP"
    })
    void damageOfEachCodecCountsAndNothingElse(String codec, String name, Harm harm) throws Exception {
        String[] options = {"-c:v", codec, "-b:v", "600k", "-g", "20", "-cpu-used", "8"};
        if (!codec.startsWith("lib") || codec.startsWith("libx26")) {
            options = Arrays.copyOf(options, 6);
        }
        if (codec.equals("libx265")) {
            options = new String[] {"-c:v", codec, "-x265-params", "log-level=none:keyint=20"};
        }
        Path clip = Clips.program(directory.resolve(name), PICTURE, codec.equals("libaom-av1") ? 15 : 40, options);
        try (BareDecoder decoder = new BareDecoder(clip, 2).decode()) {
            assertEquals(0, decoder.reports().count(), "healthy " + codec);
        }
        try (BareDecoder decoder = new BareDecoder(clip, 2).decode(everyFifth(harm))) {
            assertTrue(decoder.reports().count() > 0, "damaged " + codec + ", flagged " + decoder.flagged());
        }
    }

    @ParameterizedTest
    @CsvSource({"libx264, 6", "libx265, 39"})
    void aMalformedMessageBesideThePicturesIsNoDamage(String codec, int type) throws Exception {
        boolean hevc = codec.equals("libx265");
        NalUnits units = NalUnits.of(hevc ? hevc() : raw(codec), hevc);
        byte[] message = hevc // a picture timing and a recovery point that end before they begin
                ? new byte[] {0, 0, 1, (byte) (type << 1), 1, 1, (byte) 200, 6, (byte) 250, 1}
                : new byte[] {0, 0, 1, (byte) type, 1, (byte) 200, 6, (byte) 250, 1};
        List<Integer> slices = units.slices();
        for (int i = slices.size() - 1; i > 0; i -= 3) {
            units.units().add(slices.get(i), message);
        }
        try (BareDecoder decoder =
                new BareDecoder(units.write(directory.resolve("sei." + (hevc ? "hevc" : "h264"))), 1).decode()) {
            assertEquals(FRAMES, decoder.frames());
            assertEquals(0, decoder.reports().count());
        }
    }

    @Test
    void aUnitThatIsSkippedIsDamageIfItIsASlice() {
        DamageMessages.Kind unit = DamageMessages.all().get("Skipping invalid undecodable NALU: %d");
        assertTrue(unit.isDamage("[hevc @ 0x7f2f6c2f4480] Skipping invalid undecodable NALU: 1\n"));
        assertTrue(unit.isDamage("Skipping invalid undecodable NALU: 21\n"));
        assertFalse(unit.isDamage("[hevc @ 0x7f2f6c2f4480] Skipping invalid undecodable NALU: 39\n"));
        DamageMessages.Kind coded = DamageMessages.all().get("Failed to read unit %d (type %u).");
        assertTrue(coded.isDamage("[av1 @ 0x7f2f6c2f4480] Failed to read unit 5 (type 6).\n"));
        assertFalse(coded.isDamage("[av1 @ 0x7f2f6c2f4480] Failed to read unit 6 (type 5).\n"));
    }

    @Test
    void packetsThatAreMissingOnTheNetworkCount() throws Exception {
        NalUnits units =
                NalUnits.of(raw("libx264", "-s", "160x96", "-g", "10", "-x264-params", "slice-max-size=1000"), false);
        try (RtpSender whole = new RtpSender(units, 0);
                RtpSender lossy = new RtpSender(units, 40);
                BareDecoder healthy = receiver(whole);
                BareDecoder damaged = receiver(lossy)) {
            damaged.read(packet -> {}, () -> damaged.reports().count() < 3);
            healthy.read(packet -> {}, new CountDown(100));
            assertEquals(0, healthy.reports().count());
        }
    }

    private BareDecoder receiver(RtpSender sender) throws IOException {
        AVDictionary options = new AVDictionary(null);
        av_dict_set(options, "protocol_whitelist", "file,udp,rtp", 0);
        av_dict_set(options, "reorder_queue_size", "5", 0);
        return new BareDecoder(sender.description(directory).toString(), options, 1);
    }

    @Test
    void whatIsClosedIsForgotten() throws Exception {
        Path cut = cut(hevc());
        int before = DamageReports.openCount();
        for (int i = 0; i < 20; i++) {
            try (BareDecoder decoder = new BareDecoder(cut, 2)) {
                assertEquals(before + 1, DamageReports.openCount());
                if (i == 0) {
                    decoder.reports().close();
                    decoder.reports().close();
                    assertEquals(before, DamageReports.openCount());
                    assertEquals(0, decoder.decode().reports().count(), "counted after it was closed");
                    continue;
                }
                decoder.decode();
            }
            assertEquals(before, DamageReports.openCount());
        }
    }

    /** A newer FFmpeg says some of it in other words: this list is then to be gone through. */
    @Test
    void ffmpegHasEveryMessageThatIsWaitedFor() throws Exception {
        Ffmpeg.load();
        StringBuilder text = new StringBuilder();
        for (Class<?> library : List.of(avcodec.class, avformat.class)) {
            Path own = Path.of(Loader.load(library));
            String name = own.getFileName().toString().replace("libjni", "lib") + ".*";
            try (DirectoryStream<Path> found = Files.newDirectoryStream(own.getParent(), name)) {
                for (Path file : found) {
                    text.append(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
                }
            }
        }
        String all = text.toString();
        List<String> missing = DamageMessages.all().keySet().stream()
                .filter(format -> !all.contains(format + "\n\0") && !all.contains(format + "\0"))
                .toList();
        assertEquals(List.of(), missing);
    }

    /** True so many times. */
    private static final class CountDown implements BooleanSupplier {
        private int left;

        CountDown(int times) {
            left = times;
        }

        @Override
        public boolean getAsBoolean() {
            return left-- > 0;
        }
    }
}
