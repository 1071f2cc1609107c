// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.FrameStamp;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cuframes demo}: camera, source and readers on one machine, with every frame checked. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        header = "Shows one decode shared by several processes, with nothing else needed.",
        description = {
            "",
            "Runs the whole path on this machine: a test pattern with the frame's number in"
                    + " its pixels, encoded and sent over real RTSP on the loopback; one rtsp-source process that"
                    + " decodes it once; and several sub-count processes that each read every frame and check it.",
            "",
            "Each subscriber first reads a second of frames that are not counted, while its JVM warms up. Start-up and"
                    + " that second come on top of --seconds. Latencies run from the publisher's publish call to the"
                    + " reader's having the frame; the last line gives those of the slowest reader."
        },
        footerHeading = "%nExample:%n",
        footer = "  cuframes demo --seconds 30 --subscribers 5",
        exitCodeListHeading = ExitStatus.HEADING,
        exitCodeList = {
            ExitStatus.FINE_HELP,
            ExitStatus.USAGE_HELP,
            "4:a subscriber did not get its frames",
            "5:the source, or something else, did not work",
            "6:verification failed: a frame was missed, torn or out of order"
        })
final class DemoCommand implements Callable<Integer> {
    private static final Pattern SIZE = Pattern.compile("([0-9]{2,5})x([0-9]{2,5})");

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "How long to measure (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--subscribers",
            paramLabel = "N",
            defaultValue = "3",
            description = "How many processes read the stream, 1 to 32 (default: ${DEFAULT-VALUE}).")
    private int subscribers;

    @Option(
            names = "--size",
            paramLabel = "WxH",
            defaultValue = "1280x720",
            description = "The test pattern's size, even numbers (default: ${DEFAULT-VALUE}).")
    private String size;

    @Option(
            names = "--fps",
            paramLabel = "N",
            defaultValue = "25",
            description = "Frames in a second, 1 to 240 (default: ${DEFAULT-VALUE}).")
    private int fps;

    @Option(
            names = "--ring",
            paramLabel = "N",
            defaultValue = "12",
            description =
                    "Slots of the ring (default: ${DEFAULT-VALUE}): how far a subscriber may fall behind while the"
                            + " machine is busy.")
    private int ring;

    @Mixin
    private DecodeOptions decoding;

    @Mixin
    private CommonOptions common;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Demo.Plan plan = plan();
        common.startLogging(System.Logger.Level.WARNING);
        try (Demo demo = new Demo(plan)) {
            DemoResult result = demo.run(StopSignal.get());
            common.printResult(result.text(), result.json());
            result.failures().forEach(Console.standardError()::line);
            return result.status();
        }
    }

    private Demo.Plan plan() {
        Matcher matcher = SIZE.matcher(size);
        require(matcher.matches(), "--size is " + size + ": it must be width and height in pixels, such as 1280x720");
        int width = Integer.parseInt(matcher.group(1));
        int height = Integer.parseInt(matcher.group(2));
        require(
                (width & 1) == 0 && (height & 1) == 0 && width <= 8192 && height <= 8192,
                "--size is " + size + ": width and height must be even, and at most 8192");
        require(
                width >= FrameStamp.MIN_WIDTH && height >= FrameStamp.MIN_HEIGHT,
                "--size is " + size + ": a picture with a number in it is at least " + FrameStamp.MIN_WIDTH + "x"
                        + FrameStamp.MIN_HEIGHT);
        require(seconds >= 1 && seconds <= 86_400, "--seconds is " + seconds + ": it must be 1 to 86400");
        require(subscribers >= 1 && subscribers <= 32, "--subscribers is " + subscribers + ": it must be 1 to 32");
        require(fps >= 1 && fps <= 240, "--fps is " + fps + ": it must be 1 to 240");
        require(ring >= 2 && ring <= 64, "--ring is " + ring + ": it must be 2 to 64");
        return new Demo.Plan(
                seconds,
                subscribers,
                width,
                height,
                fps,
                ring,
                TransportWord.of(decoding.transport),
                decoding.decoder.name(),
                common.socketDirectory);
    }

    private void require(boolean condition, String complaint) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), complaint);
        }
    }
}
