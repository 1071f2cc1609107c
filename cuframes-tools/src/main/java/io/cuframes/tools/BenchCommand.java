// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.WaitStrategy;
import io.cuframes.tools.bench.Bench;
import io.cuframes.tools.bench.BenchPlan;
import io.cuframes.tools.bench.BenchProgress;
import io.cuframes.tools.bench.BenchReport;
import io.cuframes.tools.bench.Mode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cuframes bench}: how soon a frame written by one process can be used by another, and what that costs. */
@Command(
        name = BenchCommand.NAME,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        header = "Measures how soon a frame of one process can be used by another, and what it costs.",
        description = {
            "",
            "A process writes frames, others read them; each is timed from before the frame is written to its"
                    + " last bytes' having been read, and every frame's bytes are checked. Modes that are named together are"
                    + " measured in one run, in turn, and compared in one table.",
            "",
            "Modes:",
            "  host              a ring in host memory",
            "  cuda-vmm          a ring in device memory, shared by a descriptor",
            "  cuda-ipc          a ring in device memory, shared by handles",
            "  host-floor        host's work in one process: two threads, one word",
            "  floor             a GPU ring's work in one process: two streams, one event",
            "  floor-by-host     floor, but the host sees that the first stream is done, then queues the second's work",
            "  stream-wait       the classic way: the reader's stream waits for an IPC event",
            "  host-copy         device to host, shared memory, host to device",
            "  host-copy-pinned  the same, the shared memory registered with CUDA",
            "",
            "A mode that this machine cannot do is left out, and said. Ways of waiting, and sweeps of subscribers and"
                    + " streams, are for the rings; the other modes are measured once, with two processes that spin."
                    + " Every subscriber is a process that reads all streams; all streams are of one publishing process."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cuframes bench --modes host-floor,host --wait spin,adaptive",
            "  cuframes bench --modes floor,cuda-vmm,stream-wait --rounds 5 --out results",
            "  cuframes bench --modes host --subscribers 1,2,4,8 --streams 1,4,16 --rate 25 --frames 250"
        },
        exitCodeListHeading = ExitStatus.HEADING,
        exitCodeList = {
            ExitStatus.FINE_HELP,
            ExitStatus.USAGE_HELP,
            "5:nothing could be measured, or a case failed; the others are reported",
            "6:a frame's bytes were not its own"
        })
final class BenchCommand implements Callable<Integer> {
    static final String NAME = "bench";

    private static final Pattern SIZE = Pattern.compile("([0-9]{1,5})x([0-9]{1,5})");
    private static final int MOST_SECONDS = 3600;

    @Option(
            names = "--modes",
            split = ",",
            paramLabel = "MODE",
            description = "What to measure, separated by commas (default: all).")
    private List<String> modes;

    @Option(
            names = "--wait",
            split = ",",
            paramLabel = "WAIT",
            defaultValue = "adaptive",
            description = "How the readers of a ring wait: spin, yield, park, adaptive (default: ${DEFAULT-VALUE}).")
    private List<WaitStrategy> waits;

    @Option(
            names = "--subscribers",
            split = ",",
            paramLabel = "N",
            defaultValue = "1",
            description = "Reading processes, 1 to 32; several numbers are a sweep (default: ${DEFAULT-VALUE}).")
    private List<Integer> subscribers;

    @Option(
            names = "--streams",
            split = ",",
            paramLabel = "N",
            defaultValue = "1",
            description = "Streams, 1 to 64; several numbers are a sweep (default: ${DEFAULT-VALUE}).")
    private List<Integer> streams;

    @Option(
            names = "--frames",
            paramLabel = "N",
            defaultValue = "5000",
            description = "Frames that are counted, of each stream (default: ${DEFAULT-VALUE}).")
    private int frames;

    @Option(names = "--warmup", paramLabel = "N", description = "Frames before them (default: a fifth of --frames).")
    private Integer warmup;

    @Option(
            names = "--rate",
            paramLabel = "HZ",
            defaultValue = "1000",
            description = "Frames a second, of each stream (default: ${DEFAULT-VALUE}).")
    private int rate;

    @Option(
            names = "--size",
            paramLabel = "WxH",
            defaultValue = "1920x1080",
            description = "Pixels of an NV12 frame, even numbers (default: ${DEFAULT-VALUE}).")
    private String size;

    @Option(
            names = "--slots",
            paramLabel = "N",
            defaultValue = "6",
            description = "Slots of a ring, 2 to 64 (default: ${DEFAULT-VALUE}).")
    private int slots;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "1",
            description = "Measure all cases N times, in turn; figures are the medians of the rounds (default:"
                    + " ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--device",
            paramLabel = "N",
            defaultValue = "0",
            description = "The CUDA device's ordinal (default: ${DEFAULT-VALUE}).")
    private int device;

    @Option(
            names = "--reader-device",
            paramLabel = "N",
            description = "The CUDA device that the readers of cuda-vmm-other read on, another than --device.")
    private Integer readerDevice;

    @Option(
            names = "--pin",
            description =
                    "Keep each process to cores of its own, by taskset: one for each subscriber, the others, up to"
                            + " four, for the publisher.")
    private boolean pin;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Write result.json, HdrHistogram's files (.hgrm, .hlog) and the plots (.svg) there.")
    private Path out;

    @Option(
            names = "--json",
            description = "Print the result as one JSON object, the last line of standard output; its text goes to"
                    + " standard error.")
    private boolean json;

    @Option(names = "--debug", description = "Print stack traces.")
    private boolean debug;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        ToolLogger.setLevel(debug ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING);
        BenchPlan plan = plan();
        BenchReport report = run(plan);
        Console.standardError().endLive();
        if (json) {
            Console.standardError().line(report.text());
            System.out.println(report.toJson());
        } else {
            System.out.println(report.text());
        }
        if (out != null && !report.isEmpty()) {
            List<String> files = report.writeFiles();
            Console.standardError().line("bench: wrote " + String.join(", ", files) + " into " + out);
        }
        return status(report);
    }

    private static int status(BenchReport report) {
        if (report.wrong() > 0) {
            return ExitStatus.NOT_VERIFIED;
        }
        boolean stopped = StopSignal.get().raised();
        return report.hasFailed() || (report.isEmpty() && !stopped) ? ExitStatus.BROKEN : ExitStatus.FINE;
    }

    private BenchReport run(BenchPlan plan) throws IOException {
        try {
            return Bench.run(plan, new Follower());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    /** On standard error, and on the wish to end. */
    private static final class Follower implements BenchProgress {
        @Override
        public void say(String line) {
            Console.standardError().line(line);
        }

        @Override
        public void doing(String line) {
            Console.standardError().live("bench: " + line);
        }

        @Override
        public boolean stopped() {
            return StopSignal.get().raised();
        }

        @Override
        public void sleep(long millis) {
            StopSignal.get().sleep(millis);
        }
    }

    private BenchPlan plan() {
        Matcher matcher = SIZE.matcher(size);
        require(matcher.matches(), "--size is " + size + ": it must be width and height in pixels, such as 1920x1080");
        int width = Integer.parseInt(matcher.group(1));
        int height = Integer.parseInt(matcher.group(2));
        require(
                width >= 2 && height >= 2 && (width & 1) == 0 && (height & 1) == 0 && width <= 8192 && height <= 8192,
                "--size is " + size + ": width and height must be even, 2 to 8192");
        int before = warmup == null ? frames / 5 : warmup;
        requireRange("--frames", frames, 10, 100_000_000);
        requireRange("--warmup", before, 0, 100_000_000);
        requireRange("--rate", rate, 1, 1_000_000);
        requireRange("--slots", slots, 2, 64);
        requireRange("--rounds", rounds, 1, 1000);
        requireRange("--device", device, 0, 1023);
        requireRange("--reader-device", readerDevice == null ? 0 : readerDevice, 0, 1023);
        require(
                readerDevice == null || readerDevice != device,
                "--reader-device is --device: it must be another, since cuda-vmm has the readers on the same");
        subscribers.forEach(count -> requireRange("--subscribers", count, 1, 32));
        streams.forEach(count -> requireRange("--streams", count, 1, 64));
        BenchPlan plan = new BenchPlan(
                modes(),
                waits.stream().distinct().toList(),
                subscribers.stream().distinct().toList(),
                streams.stream().distinct().toList(),
                frames,
                before,
                rate,
                width,
                height,
                slots,
                rounds,
                device,
                readerDevice == null ? -1 : readerDevice,
                pin,
                out);
        double seconds = ((double) frames + before) / rate;
        require(
                seconds <= MOST_SECONDS,
                "a case would take " + Math.round(seconds) + " s: --frames and --warmup at --rate must be done within "
                        + MOST_SECONDS + " s");
        return plan;
    }

    private List<Mode> modes() {
        if (modes == null) {
            return Arrays.stream(Mode.values())
                    .filter(mode -> !mode.isReadElsewhere() || readerDevice != null)
                    .toList();
        }
        return modes.stream().map(this::mode).distinct().toList();
    }

    private Mode mode(String word) {
        return Arrays.stream(Mode.values())
                .filter(mode -> mode.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new ParameterException(
                        spec.commandLine(),
                        "--modes has \"" + word + "\", which is not one of "
                                + Arrays.stream(Mode.values()).map(Mode::word).collect(Collectors.joining(", "))));
    }

    private void requireRange(String name, int value, int least, int most) {
        require(value >= least && value <= most, name + " is " + value + ": it must be " + least + " to " + most);
    }

    private void require(boolean condition, String complaint) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), complaint);
        }
    }
}
