// SPDX-License-Identifier: Apache-2.0
package io.cuframes.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A process of the soak: what it says of itself, and what the kernel says of it. */
final class SoakProcess {
    private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
    private static final Pattern THREADS = Pattern.compile("Threads:\\s+(\\d+)");

    /**
     * What the kernel counts for a process.
     *
     * @param residentKib memory in RAM, KiB
     * @param descriptors open ones
     * @param threads alive
     */
    record Sample(long residentKib, int descriptors, int threads) {}

    private final Process process;
    private volatile long[] counts = new long[0];

    SoakProcess(Class<?> role, Object... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx128m",
                "-Djava.util.logging.config.file=/dev/null",
                "-cp",
                System.getProperty("java.class.path"),
                role.getName()));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        try {
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofPlatform().daemon().start(this::listen);
    }

    private void listen() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("counts ")) {
                    counts = Stream.of(line.substring("counts ".length()).split(" ", -1))
                            .mapToLong(Long::parseLong)
                            .toArray();
                }
            }
        } catch (IOException e) {
            // It was killed; what it said before stands.
        }
    }

    /** A number of its latest report; 0 before the first. */
    long count(int place) {
        return counts.length <= place ? 0 : counts[place];
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** What the kernel says; null if the process is gone. */
    Sample sample() {
        Path proc = Path.of("/proc", Long.toString(process.pid()));
        try (Stream<Path> descriptors = Files.list(proc.resolve("fd"))) {
            String status = Files.readString(proc.resolve("status"));
            return new Sample(number(RESIDENT, status), (int) descriptors.count(), (int) number(THREADS, status));
        } catch (IOException | UncheckedIOException e) {
            return null;
        }
    }

    private static long number(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }

    /** kill -9. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** Tells a publisher to end, and waits; whether it ended well. */
    boolean end() {
        try {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                kill();
                return false;
            }
            return process.exitValue() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
