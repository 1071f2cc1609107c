// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Backoff;
import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cuframes sub-count}: reads a stream and counts. */
@Command(
        name = SubCountCommand.NAME,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        header = "Reads a stream and counts, and checks what it reads.",
        description = {
            "",
            "Counts frames, gaps (frames published and never given to this reader), timeouts, and"
                    + " the latency from the publisher's publish call to this reader's having the frame. Where the source"
                    + " knows when its frames were taken, by the camera's clock, also the time since then.",
            "",
            "Damaged: frames that the publisher marked, because its decoder reported an error in them or in one that they are"
                    + " predicted from; their pixels may be wrong.",
            "",
            "A publisher that is there and publishes nothing is shown as STALLED: its process is stopped or hangs, or its"
                    + " source is silent.",
            "",
            "--verify needs a stream with frame numbers in its pixels, such as that of cuframes demo. Torn: two frames"
                    + " in one. Unreadable: no number to be found (the JSON's torn includes these). Misordered: the"
                    + " number did not grow as the sequence number did, so a frame was repeated, swapped, or lost before"
                    + " it was published. Restart, not an error: the number began again near 0, as when a file loops or"
                    + " a camera reconnects."
        },
        footerHeading = "%nExample:%n",
        footer = "  ${COMMAND-FULL-NAME} --key cam1 --max-frames 1000",
        exitCodeListHeading = ExitStatus.HEADING,
        exitCodeList = {
            ExitStatus.FINE_HELP,
            ExitStatus.USAGE_HELP,
            ExitStatus.NO_PUBLISHER_HELP,
            ExitStatus.ENDED_EARLY_HELP,
            ExitStatus.BROKEN_HELP,
            ExitStatus.NOT_VERIFIED_HELP
        })
final class SubCountCommand implements Callable<Integer> {
    static final String NAME = "sub-count";

    /** The command as a program of its own. */
    static final String PROGRAM = "sub_count";

    private static final long MOST_MILLIS = TimeUnit.DAYS.toMillis(1);

    /** {@link SubscriberMode}, in the words of the command line. */
    enum Mode {
        /** The newest frame; those in between are skipped, and counted as gaps. */
        NEWEST(SubscriberMode.NEWEST_ONLY),
        /** Every frame. */
        STRICT(SubscriberMode.STRICT_ORDER);

        private final SubscriberMode mode;

        Mode(SubscriberMode mode) {
            this.mode = mode;
        }
    }

    @Option(names = "--key", required = true, paramLabel = "KEY", description = "The stream's name.")
    private String key;

    @Option(
            names = "--max-frames",
            paramLabel = "N",
            description = "End after N frames. Without it: at the end of the stream, or Ctrl-C.")
    private long maxFrames;

    @Option(
            names = "--mode",
            paramLabel = "newest|strict",
            defaultValue = "newest",
            description = "newest (the default): the newest frame there is. strict: every frame, in order.")
    private Mode mode;

    @Option(
            names = "--timeout-ms",
            paramLabel = "MS",
            defaultValue = "1000",
            description = "After this long without a frame, count a timeout, call the publisher stalled, and go on"
                    + " (default: ${DEFAULT-VALUE}).")
    private long timeoutMillis;

    @Option(
            names = "--connect-timeout-ms",
            paramLabel = "MS",
            defaultValue = "5000",
            description = "How long to wait for a publisher (default: ${DEFAULT-VALUE}).")
    private long connectTimeoutMillis;

    @Option(
            names = "--reconnect",
            description = "When the publisher ends, dies, or goes on with another format, wait for the next one and go"
                    + " on: until --max-frames, or Ctrl-C. The JSON's gaps are those within epochs, also listed one by"
                    + " one (the last 100); what passed between them is not known.")
    private boolean reconnect;

    @Option(names = "--verify", description = "Check the frame number in each frame's pixels.")
    private boolean verify;

    @Option(
            names = "--warmup",
            paramLabel = "N",
            description = "First read, and verify, N frames that are not counted: a JVM is slow at first.")
    private long warmup;

    @Option(
            names = "--device",
            paramLabel = "N",
            description = "The GPU to read on, as this process counts them (CUDA_VISIBLE_DEVICES). Without it: the"
                    + " ring's, or where this process does not see that one, the only one that it sees. Another GPU than"
                    + " the ring's is for transport CUDA_VMM.")
    private Integer device;

    @Mixin
    private CommonOptions common;

    @Mixin
    private ChildOptions child;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        OptionChecks checks = new OptionChecks(spec);
        checks.requireKey("--key", key);
        checks.requireAtLeast("--max-frames", maxFrames, 0);
        checks.requireAtLeast("--warmup", warmup, 0);
        checks.requireRange("--connect-timeout-ms", connectTimeoutMillis, 0, MOST_MILLIS);
        checks.requireRange("--timeout-ms", timeoutMillis, 1, MOST_MILLIS);
        checks.requireAtLeast("--device", device == null ? 0 : device, 0);
        common.startLogging(System.Logger.Level.WARNING);
        child.watchStdin();
        Thread self = Thread.currentThread();
        StopSignal.get().onStop(self::interrupt); // ends the wait for a publisher
        EpochLog epochs = new EpochLog(key, child.json());
        try (Subscriber subscriber = connect(epochs)) {
            StopSignal.get().onStop(null);
            epochs.begin(subscriber.epoch(), subscriber.format());
            return count(subscriber, epochs);
        }
    }

    private Subscriber connect(EpochLog epochs) {
        try {
            return open(epochs);
        } catch (CuframesException e) {
            if (e.code() == ErrorCode.TIMEOUT && StopSignal.get().raised()) {
                throw new CuframesException(
                        ErrorCode.NOT_FOUND, "stopped before there was a publisher of \"" + key + "\"", e);
            }
            throw e;
        }
    }

    private Subscriber open(EpochLog epochs) {
        Subscriber.Builder builder = Subscriber.builder(key)
                .mode(mode.mode)
                .socketDirectory(common.socketDirectory)
                .connectTimeout(Duration.ofMillis(connectTimeoutMillis))
                .stallAfter(Duration.ofMillis(timeoutMillis))
                .name("sub-count");
        if (device != null) {
            builder.device(device);
        }
        return (reconnect ? builder.reconnect(Backoff.DEFAULT).listener(epochs) : builder).open();
    }

    private int count(Subscriber subscriber, EpochLog epochs) {
        CountProgress progress = new CountProgress(subscriber, child);
        progress.connected();
        FrameCount count = new FrameCount(
                subscriber,
                new FrameCount.Limits(warmup, maxFrames, Duration.ofMillis(timeoutMillis)),
                verify ? new StampCheck(subscriber.format(), subscriber.transport(), subscriber.slots()) : null,
                epochs,
                progress);
        PublisherGoneException gone = count.run(StopSignal.get());
        CountReport report = CountReport.of(subscriber, count);
        common.printResult(report.text(), report.json());
        return conclude(gone, count, report);
    }

    private int conclude(PublisherGoneException gone, FrameCount count, CountReport report) {
        int status = ExitStatus.FINE;
        if (gone != null && (maxFrames > 0 || gone.reason() == PublisherGoneException.Reason.DIED)) {
            String wanted = maxFrames > 0 ? " (" + count.frames() + " of " + maxFrames + " frames counted)" : "";
            Console.standardError().line("cuframes: " + gone.getMessage() + wanted);
            status = ExitStatus.ENDED_EARLY;
        }
        if (report.stamps() != null && report.stamps().failed()) {
            Console.standardError().line("cuframes: verification of \"" + key + "\" failed: " + report.stamps());
            status = ExitStatus.NOT_VERIFIED;
        }
        return status;
    }
}
