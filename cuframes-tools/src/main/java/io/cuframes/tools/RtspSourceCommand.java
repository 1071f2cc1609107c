// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.PublishPolicy;
import io.cuframes.javacv.VideoSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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
        header = "Opens cameras or files, decodes each once, and publishes the frames under its key.",
        description = {
            "",
            "One camera with --rtsp and --key; any number in one process, and one CUDA context, with --camera or --config."
                    + " What fails with one of them is reported and touches no other: a network camera that cannot be reached is"
                    + " tried again, unless --no-reconnect; a password that is refused, a key in use, or a stream"
                    + " that cannot be decoded is the end of that camera.",
            "",
            "The other options hold for all cameras, except where the file of --config says otherwise, which has the"
                    + " same names: ring, policy, transport, decoder, device, rtsp-transport, listen, loop, realtime,"
                    + " reconnect, open-timeout, read-timeout, drop-damaged, max-frames, max-subscribers, allow-users,"
                    + " allow-groups, on-demand, linger, input-format, and input-options, a mapping; at its top for all"
                    + " its cameras, beside a camera's key and url for that one, whose input-options are added to those"
                    + " at the top.",
            "",
            "Of each camera in a process of several, progress and result say the state, the rates, and what it takes: vram (the"
                    + " ring, and the decoder's surfaces as computed from their size and number; not what the driver keeps"
                    + " for a decoder besides, nor the CUDA context, which all share), host memory of a ring that is there,"
                    + " and cpu (its own threads and FFmpeg's for it; not what serves the whole process)."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ${COMMAND-FULL-NAME} --rtsp rtsp://camera.local/stream1 --key cam1",
            "  ${COMMAND-FULL-NAME} --camera gate=@gate.url --camera yard=rtsp://camera2.local/stream1 --on-demand",
            "  ${COMMAND-FULL-NAME} --rtsp udp://@239.0.0.1:5000 --key cam1 --input-option buffer_size=8000000",
            "  ${COMMAND-FULL-NAME} --rtsp rtsp://camera.local/1 --key cam1 --input-option user_agent=VLC/3.0",
            "  ${COMMAND-FULL-NAME} --rtsp clips.m3u8 --key cam1 --input-option protocol_whitelist=file,http,tcp,crypto",
            "  ${COMMAND-FULL-NAME} --rtsp /dev/video0 --key cam1 --input-option video_size=1280x720"
        },
        exitCodeListHeading = ExitStatus.HEADING,
        exitCodeList = {
            ExitStatus.FINE_HELP,
            ExitStatus.USAGE_HELP,
            "4:a stream ended before --max-frames",
            ExitStatus.BROKEN_HELP + "; of several cameras, one failed for good"
        })
final class RtspSourceCommand implements Callable<Integer> {
    /** The command as a program of its own. */
    static final String PROGRAM = "cuframes-rtsp-source";

    private static final String NO_GROUP = "none";
    private static final String STDIN = "-";

    @Option(
            names = "--rtsp",
            paramLabel = "URL|FILE|@FILE",
            description = "What to open: an rtsp:// URL, or anything else that FFmpeg reads: a file, which a name that"
                    + " exists is, whatever it looks like, a FIFO, a device, or - for standard input; with @, a file that"
                    + " holds the URL. Unless given, the environment variable CUFRAMES_RTSP_URL.")
    private String url;

    @Option(names = "--key", paramLabel = "KEY", description = "The stream's name, with --rtsp.")
    private String key;

    @Option(
            names = "--camera",
            paramLabel = "KEY=URL|FILE|@FILE",
            description =
                    "A camera, instead of --key and --rtsp; once for each. Without = and what follows, its URL is in"
                            + " the environment variable CUFRAMES_RTSP_URL_KEY, the key in capitals, with _ for what is no"
                            + " letter or digit.")
    private List<String> cameras = List.of();

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "A YAML file with cameras: a list, each with key and url (also \"@FILE\", as seen from the"
                    + " folder of the YAML file).")
    private Path config;

    @Option(
            names = "--ring",
            paramLabel = "N",
            defaultValue = "6",
            description =
                    "Slots of the ring (default: ${DEFAULT-VALUE}). A strict reader may fall behind by all but one.")
    private int ring;

    @Option(
            names = "--policy",
            paramLabel = "drop-oldest|drop-newest|strict-wait",
            defaultValue = "drop-oldest",
            converter = PolicyWord.class,
            description = "What happens where the next frame needs a slot that a strict reader has not read: take it"
                    + " (drop-oldest, the default), drop the new frame (drop-newest), or wait for a second"
                    + " (strict-wait).")
    private PublishPolicy policy;

    @Option(
            names = "--on-demand",
            description = "Decode only while somebody reads. The source is opened once at the start, to find out its"
                    + " format; while nobody reads, the connection and the decoder are closed, and only the ring is"
                    + " kept. The first reader has frames once the camera is connected to and sends a key frame.")
    private boolean onDemand;

    @Option(
            names = "--linger",
            paramLabel = "SECONDS",
            defaultValue = "10",
            converter = SecondsWord.class,
            description = "With --on-demand, go on for this long after the last reader has gone (default:"
                    + " ${DEFAULT-VALUE}).")
    private Duration linger;

    @Option(
            names = "--allow-user",
            split = ",",
            paramLabel = "UID",
            description = "Further users who may read the stream, by number, besides this one and root.")
    private List<Integer> allowedUsers;

    @Option(
            names = "--allow-group",
            split = ",",
            paramLabel = "GID|none",
            description = "Groups whose members may read the stream, by number (default: this user's primary group).")
    private List<String> allowedGroups;

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

    @Mixin
    private InputOptionWords input;

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

    @Option(
            names = "--open-timeout",
            paramLabel = "SECONDS",
            converter = SecondsWord.class,
            description = "How long opening a source may take (default: 10 s for an answer, then 30 s for the first"
                    + " picture).")
    private Duration openTimeout;

    @Option(
            names = "--read-timeout",
            paramLabel = "SECONDS",
            converter = SecondsWord.class,
            description = "A network source that sends nothing for this long is lost (default: 5 s, 30 s for HLS and"
                    + " DASH, and longer where the input's own pace is slower).")
    private Duration readTimeout;

    @Option(
            names = "--drop-damaged",
            description = "Hold back frames that are known to be damaged: the decoder reported an error in them or in"
                    + " one that they are predicted from. Without it they are published with a mark, which"
                    + " cuframes sub-count and cuframes list count.")
    private boolean dropDamaged;

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
        checkOptions();
        common.startLogging(System.Logger.Level.INFO);
        child.watchStdin();
        if (cameras.isEmpty() && config == null) {
            return publishOne();
        }
        List<CameraSettings> several = several();
        try {
            return new CameraFleet(several, common.socketDirectory, StopSignal.get(), child)
                    .run(StopSignal.get(), common);
        } finally {
            tidyUp();
        }
    }

    /** All of them, before a file or a camera is opened. */
    private void checkOptions() {
        OptionChecks checks = new OptionChecks(spec);
        checks.requireRange("--ring", ring, 2, 64);
        checks.requireRange("--max-subscribers", maxSubscribers, 1, 256);
        checks.requireAtLeast("--device", device, 0);
        checks.requireAtLeast("--max-frames", maxFrames, 0);
        checks.requirePositive("--open-timeout", openTimeout);
        checks.requirePositive("--read-timeout", readTimeout);
        for (int user : allowedUsers == null ? List.<Integer>of() : allowedUsers) {
            checks.requireAtLeast("--allow-user", user, 0);
        }
        for (int group : allowedGroups == null ? List.<Integer>of() : groupIds()) {
            checks.requireAtLeast("--allow-group", group, 0);
        }
        input.check(checks);
        if (child.untilStdinEnds && readsStdin()) {
            throw checks.usage("--until-stdin-ends: standard input is the video already");
        }
        if (key != null) {
            checks.requireKey("--key", key);
        }
        Set<String> keys = new HashSet<>();
        for (String camera : cameras) {
            String name = keyOf(camera);
            checks.requireKey("--camera", name);
            requireNew(keys, name);
        }
    }

    private boolean readsStdin() {
        return STDIN.equals(url) || cameras.stream().anyMatch(camera -> camera.endsWith("=" + STDIN));
    }

    private static String keyOf(String camera) {
        int equals = camera.indexOf('=');
        return equals < 0 ? camera : camera.substring(0, equals);
    }

    private void requireNew(Set<String> keys, String name) {
        if (!keys.add(name)) {
            throw usage("there are two cameras with the key \"" + name + "\": give each its own");
        }
    }

    private ParameterException usage(String text) {
        return new ParameterException(spec.commandLine(), text);
    }

    private CameraSettings.Draft draft() {
        CameraSettings.Draft draft = new CameraSettings.Draft();
        draft.ring = ring;
        draft.policy = policy;
        draft.transport = decoding.transport;
        draft.decoder = decoding.decoder;
        draft.device = device;
        draft.rtspTransport = rtspTransport;
        draft.listen = listen;
        draft.loop = loop;
        draft.realtime = realtime;
        draft.reconnect = !noReconnect;
        draft.openTimeout = openTimeout;
        draft.readTimeout = readTimeout;
        draft.dropDamaged = dropDamaged;
        draft.maxFrames = maxFrames;
        draft.maxSubscribers = maxSubscribers;
        draft.users = allowedUsers;
        draft.groups = allowedGroups == null ? null : groupIds();
        draft.onDemand = onDemand;
        draft.inputOptions = input.values();
        draft.inputFormat = input.format;
        draft.linger = linger;
        return draft;
    }

    private List<Integer> groupIds() {
        return allowedGroups.stream()
                .filter(group -> !group.equals(NO_GROUP))
                .map(this::groupId)
                .toList();
    }

    private int groupId(String group) {
        try {
            return Integer.parseInt(group);
        } catch (NumberFormatException e) {
            throw usage("--allow-group is \"" + group + "\": it must be a number, as id -g prints it, or " + NO_GROUP);
        }
    }

    /** The cameras of the command line, then those of the file. */
    private List<CameraSettings> several() {
        if (url != null || key != null) {
            throw usage(
                    "--rtsp and --key are for one camera, --camera and --config for several: give the one or the other");
        }
        CameraSettings.Draft draft = draft();
        List<CameraSettings> all = new ArrayList<>();
        Set<String> keys = new HashSet<>();
        try {
            for (String camera : cameras) {
                String name = keyOf(camera);
                String address = camera.equals(name) ? null : camera.substring(name.length() + 1);
                all.add(draft.of(name, SourceAddress.ofCamera(name, address, System.getenv())));
            }
            if (config != null) {
                all.addAll(CameraFile.read(config, draft, System.getenv()));
            }
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
        all.forEach(camera -> requireNew(keys, camera.key()));
        return all;
    }

    private int publishOne() {
        if (key == null) {
            throw usage("nothing to publish: give --key with --rtsp, or cameras with --camera or --config");
        }
        CameraSettings settings = draft().of(key, findAddress());
        settings.stream().requireFreeKey(); // said before a camera is asked
        StopSignal stop = StopSignal.get();
        stop.onStop(this::endWhileOpening);
        SourceEvents events = new SourceEvents();
        Demand demand = Demand.of(settings, () -> false); // the signal ends it otherwise
        try (VideoSource source = settings.openSource(demand, events)) {
            stop.onStop(source::interrupt);
            return publish(settings, source, demand, events);
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

    private int publish(CameraSettings settings, VideoSource source, Demand demand, SourceEvents events) {
        Console.standardError().line("opened " + source.describe());
        StopSignal stop = StopSignal.get();
        SourceRun run = new SourceRun(
                source,
                format -> settings.openStream(format, source.timeBase(), common.socketDirectory),
                maxFrames,
                demand,
                new SourceProgress(key, child),
                false);
        events.tell(run);
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
