// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.FrameFormat;
import io.cuframes.Publisher;
import io.cuframes.javacv.VideoSource;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cuframes rtsp-source}: a camera or a file into a stream. */
@Command(
        name = "rtsp-source",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        header = "Opens a camera or a file, decodes it once, and publishes the frames under a key.",
        footerHeading = "%nExample:%n",
        footer = "  cuframes rtsp-source --rtsp rtsp://camera.local/stream1 --key cam1",
        exitCodeListHeading = ExitStatus.HEADING,
        exitCodeList = {
            ExitStatus.FINE_HELP,
            ExitStatus.USAGE_HELP,
            "4:the stream ended before --max-frames",
            ExitStatus.BROKEN_HELP
        })
final class RtspSourceCommand implements Callable<Integer> {
    private static final String NO_GROUP = "none";

    @Option(
            names = "--rtsp",
            paramLabel = "URL|FILE|@FILE",
            description = "What to open: an rtsp:// URL, or anything else that FFmpeg reads; with @, a file that holds"
                    + " the URL. Unless given, the environment variable CUFRAMES_RTSP_URL.")
    private String url;

    @Option(names = "--key", required = true, paramLabel = "KEY", description = "The stream's name.")
    private String key;

    @Option(
            names = "--ring",
            paramLabel = "N",
            defaultValue = "6",
            description =
                    "Slots of the ring (default: ${DEFAULT-VALUE}). A strict reader may fall behind by all but one.")
    private int ring;

    @Option(
            names = "--allow-user",
            split = ",",
            paramLabel = "UID",
            description = "Further users who may read the stream, by number, besides this one and root.")
    private int[] allowedUsers;

    @Option(
            names = "--allow-group",
            split = ",",
            paramLabel = "GID|none",
            description = "Groups whose members may read the stream, by number (default: this user's primary group).")
    private String[] allowedGroups;

    @Option(
            names = "--max-subscribers",
            paramLabel = "N",
            defaultValue = "32",
            description = "Subscribers at a time, 1 to 256 (default: ${DEFAULT-VALUE}).")
    private int maxSubscribers;

    @Mixin
    private DecodeOptions decoding;

    @Option(
            names = "--device",
            paramLabel = "N",
            defaultValue = "0",
            description = "The GPU (default: ${DEFAULT-VALUE}).")
    private int device;

    @Option(
            names = "--rtsp-transport",
            paramLabel = "tcp|udp",
            defaultValue = "tcp",
            description = "What RTP travels in (default: ${DEFAULT-VALUE}).")
    private VideoSource.RtspTransport rtspTransport;

    @Option(
            names = "--listen",
            description = "Wait at the rtsp:// URL for a sender that pushes, instead of connecting.")
    private boolean listen;

    @Option(names = "--loop", description = "Begin a file again at its end.")
    private boolean loop;

    @Option(names = "--realtime", description = "Read a file at the speed of its timestamps.")
    private boolean realtime;

    @Option(names = "--no-reconnect", description = "End when a camera is lost, instead of trying until it is back.")
    private boolean noReconnect;

    @Option(names = "--max-frames", paramLabel = "N", description = "End after N frames.")
    private long maxFrames;

    @Mixin
    private CommonOptions common;

    @Mixin
    private ChildOptions child;

    @Option(
            names = "--remove-socket-dir",
            description = "At the end, remove the directory of --socket-dir if it is empty then.")
    private boolean removeSocketDirectory;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (maxFrames < 0) {
            throw new ParameterException(
                    spec.commandLine(), "--max-frames is " + maxFrames + ": it cannot be negative");
        }
        common.startLogging(System.Logger.Level.INFO);
        child.watchStdin();
        String address = findAddress();
        Publisher.Builder builder = Publisher.builder(key).requireFreeKey(); // said before a camera is asked
        allow(builder);
        StopSignal stop = StopSignal.get();
        stop.onStop(this::endWhileOpening);
        try (VideoSource source = openSource(address)) {
            stop.onStop(source::interrupt);
            return publish(source, builder, stop);
        } finally {
            stop.onStop(null);
            tidyUp();
        }
    }

    /** A camera that is being opened cannot be interrupted, and has nothing that outlives the process. */
    private void endWhileOpening() {
        tidyUp();
        StopSignal.get().finish(ExitStatus.FINE);
    }

    private String findAddress() {
        try {
            return SourceAddress.find(url, System.getenv(SourceAddress.VARIABLE));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private void allow(Publisher.Builder builder) {
        if (allowedUsers != null) {
            builder.allowUsers(allowedUsers);
        }
        if (allowedGroups != null) {
            builder.allowGroups(Arrays.stream(allowedGroups)
                    .filter(group -> !group.equals(NO_GROUP))
                    .mapToInt(this::groupId)
                    .toArray());
        }
    }

    private int groupId(String group) {
        try {
            return Integer.parseInt(group);
        } catch (NumberFormatException e) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--allow-group is \"" + group + "\": it must be a number, as id -g prints it, or " + NO_GROUP,
                    e);
        }
    }

    private VideoSource openSource(String address) {
        return VideoSource.builder(address)
                .decoder(decoding.decoder)
                .device(device)
                .rtspTransport(rtspTransport)
                .listen(listen)
                .loop(loop)
                .realtime(realtime)
                .reconnect(!noReconnect)
                .listener(new SourceEvents())
                .open();
    }

    private Publisher openPublisher(Publisher.Builder builder, VideoSource source, FrameFormat format) {
        return builder.size(format.width(), format.height())
                .format(format.pixelFormat())
                .color(format.color())
                .timeBase(source.timeBase())
                .slots(ring)
                .maxSubscribers(maxSubscribers)
                .transport(decoding.transport)
                .device(device)
                .socketDirectory(common.socketDirectory)
                .open();
    }

    private int publish(VideoSource source, Publisher.Builder builder, StopSignal stop) {
        Console.standardError().line("opened " + source.describe());
        SourceRun run = new SourceRun(source, format -> openPublisher(builder, source, format), maxFrames, child);
        run.run(stop);
        SourceReport report = new SourceReport(key, source, run);
        common.printResult(report.text(), report.json());
        if (maxFrames > 0 && run.frames() < maxFrames && !stop.raised()) {
            Console.standardError()
                    .line("cuframes: the input of \"" + key + "\" ended after " + run.frames() + " of " + maxFrames
                            + " frames");
            return ExitStatus.ENDED_EARLY;
        }
        return ExitStatus.FINE;
    }

    private void tidyUp() {
        if (removeSocketDirectory && common.socketDirectory != null) {
            try {
                Files.deleteIfExists(common.socketDirectory);
            } catch (IOException e) {
                // not empty: others use it
            }
        }
    }
}
