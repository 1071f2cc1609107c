// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.internal.cuda.ReaderDevice;
import io.cuframes.internal.doctor.Doctor;
import io.cuframes.internal.doctor.Finding;
import io.cuframes.internal.doctor.Outcome;
import io.cuframes.internal.doctor.Probe;
import io.cuframes.internal.doctor.StreamExam;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cuframes doctor}: what works here, or why a stream can or cannot be read. */
@Command(
        name = DoctorCommand.NAME,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        header = "Finds out what works on this host, or why a stream cannot be read.",
        description = {
            "",
            "Without --key: tries each thing that cuframes needs, by doing it, up to another process that reads a frame,"
                    + " for every transport and every GPU that this process sees. A line for each, with a tick, a cross,"
                    + " a ! for what is worth knowing or a dot for what was not tried; and what to do, where there is"
                    + " something to be done. What is made for it is removed again. It takes seconds.",
            "",
            "A host without a GPU is fine: frames are then shared in host memory. One with an NVIDIA driver is to share"
                    + " them on the GPU, too. --require says otherwise, for health checks and CI.",
            "",
            "With --key: goes the way of a subscriber to that stream, step by step, and stops at the first that fails."
                    + " Up to the transport it only looks. Then it subscribes, reads one frame, and goes: for so long it"
                    + " takes one of the publisher's places for subscribers, and has a camera opened that is decoded"
                    + " on demand. It never keeps a publisher waiting.",
            "",
            "Ticks are UTF-8 where the locale is, else [ok], [no], [!!] and [--]; colours on a terminal only, and not"
                    + " where NO_COLOR is set."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  cuframes doctor", "  cuframes doctor --require cuda-vmm --json", "  cuframes doctor --key cam1"},
        exitCodeListHeading = ExitStatus.HEADING,
        exitCodeList = {
            "0:what is required works; with --key: a frame was read",
            ExitStatus.USAGE_HELP,
            "3:with --key: no publisher where it was looked for",
            "7:what is required does not work; with --key: there is a publisher, or something in its place, and no"
                    + " frame was read"
        })
final class DoctorCommand implements Callable<Integer> {
    static final String NAME = "doctor";

    /** {@link Requirement}, in the words of the command line. */
    private static final String REQUIREMENTS = "auto|host|cuda|cuda-vmm|cuda-ipc";

    @Option(names = "--key", paramLabel = "KEY", description = "The stream to be read, instead of all checks.")
    private String key;

    @Option(
            names = "--require",
            paramLabel = REQUIREMENTS,
            converter = RequirementWord.class,
            description = "What has to work for exit code 0. auto (the default): host, and where there is an NVIDIA"
                    + " driver, cuda. host: frames in host memory. cuda: cuda-vmm or cuda-ipc. cuda-vmm, cuda-ipc: that"
                    + " transport, on every GPU that this process sees (CUDA_VISIBLE_DEVICES chooses).")
    private Requirement requirement;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "5",
            converter = SecondsWord.class,
            description = "With --key: how long to wait for a frame (default: ${DEFAULT-VALUE}).")
    private Duration timeout;

    @Option(
            names = "--device",
            paramLabel = "N",
            description =
                    "With --key: the GPU to read on, as this process counts them (CUDA_VISIBLE_DEVICES). Without it: the"
                            + " ring's, or where this process does not see that one, the only one that it sees. Another GPU than"
                            + " the ring's is for transport CUDA_VMM.")
    private Integer device;

    @Mixin
    private CommonOptions common;

    @Spec
    private CommandSpec spec;

    private Report report;
    private PrintStream out;

    @Override
    public Integer call() {
        if (key != null && requirement != null) {
            throw new ParameterException(
                    spec.commandLine(), "--require is for the host, and --key for one stream: use one of them");
        }
        if (device != null && (key == null || device < 0)) {
            throw new ParameterException(
                    spec.commandLine(), "--device is " + device + ": it is for --key, and cannot be negative");
        }
        common.startLogging(System.Logger.Level.ERROR); // a warning would be a finding
        report = Report.forStream(common.json);
        out = common.json ? System.err : System.out;
        Thread self = Thread.currentThread();
        StopSignal.get().onStop(self::interrupt); // what has begun removes what it has made
        try {
            return key == null ? examineHost() : examineStream();
        } finally {
            StopSignal.get().onStop(null);
            Console.standardError().endLive();
        }
    }

    /** Shows findings as they are made, and what is under way on a terminal. */
    private final class Progress implements Doctor.Listener {
        @Override
        public void found(Finding finding) {
            Console.standardError().endLive();
            out.println(report.text(finding));
            out.flush();
        }

        @Override
        public void trying(Probe probe, String subject) {
            if (Console.standardError().isTerminal()) {
                Console.standardError()
                        .live("  trying " + probe.title() + (subject.isEmpty() ? "" : " " + subject) + " ...");
            }
        }
    }

    private int examineHost() {
        Requirement required = requirement == null ? Requirement.AUTO : requirement;
        List<Finding> findings = new Doctor(common.socketDirectory, new Progress()).examine();
        Requirement.Ability ability = Requirement.Ability.of(findings);
        boolean met = required.isMet(ability);
        out.println();
        out.println(report.sign(met ? Outcome.WORKS : Outcome.FAILS) + " " + ability.describe()
                + (met ? "" : "; required: " + Words.of(required)));
        if (common.json) {
            JsonLine json = JsonLine.begin().put("required", Words.of(required)).put("fine", met);
            json.beginObject("able")
                    .put("host", ability.host())
                    .put("cuda_vmm", ability.vmm())
                    .put("cuda_ipc", ability.ipc())
                    .end();
            System.out.println(addFindings(json, "checks", findings).end());
        }
        System.out.flush();
        return met ? ExitStatus.FINE : ExitStatus.NOT_ABLE;
    }

    private int examineStream() {
        StreamExam.Result result = new StreamExam(
                        key,
                        common.socketDirectory,
                        timeout,
                        device == null ? ReaderDevice.AUTOMATIC : device,
                        new Progress())
                .examine();
        boolean readable = result.verdict() == StreamExam.Verdict.READABLE;
        String held = String.format(Locale.ROOT, "%.1f ms", result.heldNanos() / 1e6);
        String why = result.verdict() == StreamExam.Verdict.NO_PUBLISHER
                ? "\"" + key + "\" cannot be read: nobody publishes it where it was looked for"
                : "\"" + key + "\" cannot be read: "
                        + result.findings().getLast().check().title();
        out.println();
        out.println(report.sign(readable ? Outcome.WORKS : Outcome.FAILS) + " "
                + (readable ? "\"" + key + "\" can be read" : why)
                + (result.heldNanos() == 0 ? "" : "; a subscriber's place was taken for " + held));
        if (common.json) {
            JsonLine json = JsonLine.begin()
                    .put("key", key)
                    .put("readable", readable)
                    .put("verdict", result.verdict().name().toLowerCase(Locale.ROOT))
                    .putTenths("subscribed_ms", result.heldNanos() / 1e6);
            System.out.println(addFindings(json, "steps", result.findings()).end());
        }
        System.out.flush();
        return switch (result.verdict()) {
            case READABLE -> ExitStatus.FINE;
            case ILLEGAL_KEY -> ExitStatus.USAGE;
            case NO_PUBLISHER -> ExitStatus.NO_PUBLISHER;
            case UNREADABLE -> ExitStatus.NOT_ABLE;
        };
    }

    private static JsonLine addFindings(JsonLine json, String name, List<Finding> findings) {
        json.beginArray(name);
        for (Finding finding : findings) {
            json.element(JsonLine.begin()
                    .put("name", Words.of((Enum<?>) finding.check()))
                    .put("outcome", Words.of(finding.outcome()))
                    .put("subject", finding.subject())
                    .put("found", finding.found())
                    .put("remedy", finding.remedy())
                    .end()
                    .toString());
        }
        return json.endArray();
    }
}
