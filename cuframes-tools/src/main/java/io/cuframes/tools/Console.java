// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Standard error: lines that stay, and below them live lines that are rewritten in place where it is a terminal. Elsewhere a live line is a
 * plain line, and should come seldom. Thread-safe.
 */
final class Console {
    private static final Console STANDARD_ERROR = new Console(System.err, isTerminal(2));

    private static final long TERMINAL_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long PLAIN_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** Lines longer than the terminal is wide are cut off, not wrapped: the count of lines to go back over stays right. */
    private static final String NO_WRAP = "\033[?7l";

    private static final String WRAP = "\033[?7h";
    private static final String ERASE_BELOW = "\033[J";

    private final PrintStream out;
    private final boolean terminal;
    private List<String> live = List.of();

    Console(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /** The process's standard error. */
    static Console standardError() {
        return STANDARD_ERROR;
    }

    /** Asks the kernel where a descriptor leads: java.io.Console speaks of standard input and output alone. */
    static boolean isTerminal(int descriptor) {
        String type = System.getenv("TERM");
        if (type == null || type.equals("dumb")) {
            return false;
        }
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }

    /** How often live lines should be rewritten. */
    long refreshNanos() {
        return terminal ? TERMINAL_NANOS : PLAIN_NANOS;
    }

    boolean isTerminal() {
        return terminal;
    }

    /** Prints a line that stays, above the live lines. */
    synchronized void line(String text) {
        StringBuilder bytes = new StringBuilder();
        erase(bytes);
        bytes.append(text).append('\n');
        draw(bytes);
        write(bytes);
    }

    /** Replaces the live lines. */
    synchronized void live(String... lines) {
        StringBuilder bytes = new StringBuilder();
        erase(bytes);
        live = List.of(lines);
        draw(bytes);
        write(bytes);
    }

    /** Removes the live lines. */
    synchronized void endLive() {
        StringBuilder bytes = new StringBuilder();
        erase(bytes);
        live = List.of();
        write(bytes);
    }

    private void erase(StringBuilder bytes) {
        if (terminal && !live.isEmpty()) {
            bytes.append("\033[").append(live.size()).append('A').append(ERASE_BELOW);
        }
    }

    private void draw(StringBuilder bytes) {
        if (live.isEmpty()) {
            return;
        }
        if (terminal) {
            bytes.append(NO_WRAP);
        }
        live.forEach(text -> bytes.append(text).append('\n'));
        if (terminal) {
            bytes.append(WRAP);
        } else {
            live = List.of(); // printed once; a plain stream has no place to return to
        }
    }

    private void write(StringBuilder bytes) {
        out.print(bytes);
        out.flush();
    }
}
