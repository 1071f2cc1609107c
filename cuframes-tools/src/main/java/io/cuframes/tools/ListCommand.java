// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.internal.connect.StreamSearch;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cuframes list}: the streams of this host. */
@Command(
        name = ListCommand.NAME,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        header = "Shows the streams of this host, and who reads them.",
        description = {
            "",
            "Looks where a subscriber of this user would look, and asks each publisher what there is to see. It"
                    + " subscribes to nothing: no place for subscribers is taken, no slot is leased, a camera that is"
                    + " decoded on demand stays closed, and no publisher waits.",
            "",
            "STATE is live; idle: it publishes nothing until somebody reads; stalled: no new frame for 2 seconds and"
                    + " more, or for the interval if that is longer, and not on purpose; ended: it is ending. What is no"
                    + " stream that could be read is dead (left over from a publisher that died), closed or refused (to"
                    + " this user), version (another protocol), busy, silent (a process that does not answer), broken"
                    + " (one that does not follow the protocol), no-socket, or elsewhere (published, with its socket"
                    + " where it was not looked for); a line below says more, and what to do.",
            "",
            "FPS is measured over the interval. SLOTS are those that some subscriber reads now, of all there are. LAG is"
                    + " how many frames a subscriber is behind; held, the slots it reads; missed, the frames it was never"
                    + " given, which for one that asks for the newest is as it should be.",
            "",
            "With --json: one object, with \"streams\" and \"places\"; with --watch, one in a line each interval."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  cuframes list", "  cuframes list --watch", "  cuframes list --json | jq '.streams[].key'"},
        exitCodeListHeading = ExitStatus.HEADING,
        exitCodeList = {
            "0:the streams that there are were shown, none included; also after Ctrl-C",
            "2:the command line makes no sense",
            "5:no place could be looked into"
        })
final class ListCommand implements Callable<Integer> {
    static final String NAME = "list";

    /** Home, and what is below it erased: the table is redrawn where it is. */
    private static final String REDRAW = "\033[H\033[J";

    @Option(
            names = "--interval",
            paramLabel = "SECONDS",
            defaultValue = "1",
            converter = SecondsWord.class,
            description = "Measure frames per second over this long, and with --watch refresh as often (default:"
                    + " ${DEFAULT-VALUE}). 0: at once, from the times of the frames that are in the ring.")
    private Duration interval;

    @Option(names = "--watch", description = "Refresh until Ctrl-C.")
    private boolean watch;

    @Mixin
    private CommonOptions common;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (watch && interval.isZero()) {
            throw new ParameterException(spec.commandLine(), "--watch needs an --interval above 0");
        }
        common.startLogging(System.Logger.Level.ERROR);
        Thread self = Thread.currentThread();
        StreamSearch search = new StreamSearch(common.socketDirectory);
        long millis = TimeUnit.MILLISECONDS.convert(interval);
        StreamSearch.Result before = search.look();
        StreamTable table;
        boolean redraw = watch && !common.json && Console.isTerminal(1);
        do {
            if (millis > 0) {
                StopSignal.get().sleep(millis);
            }
            if (watch && StopSignal.get().raised()) {
                break;
            }
            StreamSearch.Result now = millis > 0 ? search.look() : before;
            table = new StreamTable(before, now, interval);
            print(table, redraw);
            if (!watch && table.isBlind()) {
                return ExitStatus.BROKEN;
            }
            before = now;
        } while (watch && !self.isInterrupted());
        return ExitStatus.FINE;
    }

    private void print(StreamTable table, boolean redraw) {
        if (!watch) {
            common.printResult(table.text(), table.json());
        } else if (common.json) {
            System.out.println(table.json());
        } else {
            System.out.println((redraw ? REDRAW : "") + table.text() + (redraw ? "" : "\n"));
        }
        System.out.flush();
    }
}
