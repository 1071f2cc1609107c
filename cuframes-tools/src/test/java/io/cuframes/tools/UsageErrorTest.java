// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A value that an option cannot have is a usage error that names the option, before anything is opened. */
@Timeout(60)
@ResourceLock(Resources.SYSTEM_ERR)
class UsageErrorTest {
    private static final int USAGE = 2;

    private record Outcome(int status, String err) {}

    private static Outcome run(List<String> arguments) {
        PrintStream before = System.err;
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        try {
            int status = Cuframes.run(arguments.toArray(String[]::new));
            return new Outcome(status, err.toString(StandardCharsets.UTF_8));
        } finally {
            System.setErr(before);
        }
    }

    /** The last word is the option with its value. The inputs are not there: one that is opened is another error. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "rtsp-source --rtsp none.mp4 --key a --ring=0",
                "rtsp-source --rtsp none.mp4 --key a --ring=65",
                "rtsp-source --rtsp none.mp4 --key a --ring=six",
                "rtsp-source --rtsp @none.url --key a --max-subscribers=0",
                "rtsp-source --rtsp none.mp4 --key a --max-subscribers=257",
                "rtsp-source --rtsp none.mp4 --key a --device=-1",
                "rtsp-source --rtsp none.mp4 --key a --max-frames=-1",
                "rtsp-source --rtsp none.mp4 --key a --linger=-1",
                "rtsp-source --rtsp none.mp4 --key a --open-timeout=0",
                "rtsp-source --rtsp none.mp4 --key a --open-timeout=-1",
                "rtsp-source --rtsp none.mp4 --key a --open-timeout=soon",
                "rtsp-source --rtsp none.mp4 --key a --read-timeout=0.0001",
                "rtsp-source --rtsp none.mp4 --key a --read-timeout=86401",
                "rtsp-source --config none.yaml --read-timeout=0",
                "rtsp-source --rtsp none.mp4 --key a --policy=drop",
                "rtsp-source --rtsp none.mp4 --key a --allow-user=-5",
                "rtsp-source --rtsp none.mp4 --key a --allow-group=-5",
                "rtsp-source --rtsp none.mp4 --key a --transport=tape",
                "rtsp-source --rtsp none.mp4 --key a --decoder=abacus",
                "rtsp-source --rtsp @none.url --key=a/b",
                "rtsp-source --camera a=@none.url --camera=a/b=none.mp4",
                "rtsp-source --config none.yaml --ring=1",
                "rtsp-source --rtsp none.mp4 --key a --input-option=user_agent",
                "rtsp-source --rtsp none.mp4 --key a --input-option==hunter2",
                "rtsp-source --rtsp none.mp4 --key a --input-option=-user_agent=hunter2",
                "rtsp-source --rtsp none.mp4 --key a --input-option=a/hunter2=x",
                "rtsp-source --camera a=@none.url --input-format=",
                "rtsp-source --camera a=@none.url --input-format=a/b",
                "rtsp-source --rtsp - --key a --until-stdin-ends",
                "rtsp-source --camera a=- --until-stdin-ends",
                "sub-count --key=a/b",
                "sub-count --key a --connect-timeout-ms=-1",
                "sub-count --key a --connect-timeout-ms=99999999999",
                "sub-count --key a --timeout-ms=0",
                "sub-count --key a --warmup=-1",
                "list --interval=-1",
                "doctor --timeout=-1",
                "doctor --require=everything",
                "demo --ring=1",
                "demo --size=1x1",
                "demo --size=0x0",
                "demo --subscribers=0",
                "demo --fps=0",
                "demo --seconds=0",
                "bench --slots=1",
                "bench --size=3x3",
                "bench --subscribers=0",
                "bench --device=-1",
                "bench --rate=0"
            })
    void aValueThatAnOptionCannotHaveIsRefused(String line) {
        List<String> arguments = List.of(line.split(" "));
        String option = arguments.getLast().replaceFirst("=.*", "");
        Outcome outcome = run(arguments);
        assertEquals(USAGE, outcome.status(), outcome.err());
        assertTrue(outcome.err().startsWith("cuframes: "), outcome.err());
        assertTrue(outcome.err().contains(option), outcome.err());
        assertTrue(outcome.err().contains("See: cuframes " + arguments.getFirst() + " --help"), outcome.err());
        assertFalse(outcome.err().contains("\tat "), outcome.err());
        assertFalse(outcome.err().contains("hunter2"), outcome.err());
    }

    @Test
    void helpOfNoCommandIsNone() {
        for (List<String> line : List.of(
                List.of("nosuch"),
                List.of("nosuch", "--help"),
                List.of("nosuch", "--version"),
                List.of("nosuch", "demo", "-h"))) {
            Outcome outcome = run(line);
            assertEquals(USAGE, outcome.status(), line + ": " + outcome.err());
            assertTrue(outcome.err().contains("nosuch"), outcome.err());
        }
        assertEquals(0, run(List.of("--help")).status());
        assertEquals(0, run(List.of("demo", "--help")).status());
    }
}
