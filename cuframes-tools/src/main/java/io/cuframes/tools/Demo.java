// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Runs the demo: a camera in this process, a source and its readers in processes of their own, and a table of what they report. Owns all of
 * them, and the directory of their sockets.
 */
final class Demo implements AutoCloseable {
    /**
     * What is to be shown.
     *
     * @param seconds to measure
     * @param subscribers processes that read
     * @param width pixels
     * @param height pixels
     * @param fps frames in a second
     * @param ring slots
     * @param transport as on the command line
     * @param decoder as on the command line
     * @param socketDirectory where the socket goes, or null for a directory of the demo's own
     */
    record Plan(
            int seconds,
            int subscribers,
            int width,
            int height,
            int fps,
            int ring,
            String transport,
            String decoder,
            Path socketDirectory) {
        /** Frames that each subscriber counts. */
        long frames() {
            return (long) seconds * fps;
        }
    }

    private static final long START_SECONDS = 60;
    private static final long POLL_MILLIS = 100;

    private final Plan plan;
    private final String key = "demo-" + ProcessHandle.current().pid();
    private final Path directory;
    private final boolean ownDirectory;
    private final List<Child> readers = new ArrayList<>();
    private Child source;
    private PatternPush camera;

    Demo(Plan plan) throws IOException {
        this.plan = plan;
        this.ownDirectory = plan.socketDirectory() == null;
        this.directory = ownDirectory ? Files.createTempDirectory("cuframes-demo-") : plan.socketDirectory();
    }

    /** Starts everything, shows the table until the readers have their frames or something fails, and sums up. */
    DemoResult run(StopSignal stop) throws IOException {
        start();
        DemoTable table = new DemoTable(plan, source, readers);
        Ticker ticker = new Ticker(Console.standardError().refreshNanos());
        long begin = System.nanoTime();
        long limit = TimeUnit.SECONDS.toNanos(START_SECONDS + plan.seconds() + plan.seconds() / 2);
        String trouble = null;
        while (!stop.raised() && readers.stream().anyMatch(Child::isAlive)) {
            long now = System.nanoTime();
            if (ticker.due(now, 0)) {
                Console.standardError().live(table.live());
            }
            trouble = trouble(now - begin > limit);
            if (trouble != null) {
                break;
            }
            stop.sleep(POLL_MILLIS);
        }
        boolean stopped = stop.raised();
        endAll();
        return new DemoResult(plan, key, source, readers, trouble, stopped);
    }

    private void start() throws IOException {
        String url = "rtsp://127.0.0.1:" + freePort() + "/demo";
        Console.standardError()
                .line("demo: " + plan.width() + "x" + plan.height() + ", " + plan.fps() + " fps, H.264 over " + url
                        + ", key " + key);
        source = new Child("source", sourceArguments(url));
        for (int number = 1; number <= plan.subscribers(); number++) {
            readers.add(new Child("subscriber " + number, readerArguments()));
        }
        camera = new PatternPush(url, plan.width(), plan.height(), plan.fps());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private List<String> sourceArguments(String url) {
        List<String> arguments = new ArrayList<>(List.of("rtsp-source", "--rtsp", url, "--listen"));
        arguments.addAll(List.of("--ring", Integer.toString(plan.ring())));
        arguments.addAll(List.of("--transport", plan.transport(), "--decoder", plan.decoder()));
        if (ownDirectory) {
            arguments.add("--remove-socket-dir"); // for when this process is killed and cannot
        }
        return withCommon(arguments);
    }

    private List<String> readerArguments() {
        List<String> arguments = new ArrayList<>(List.of("sub-count", "--mode", "strict", "--verify"));
        arguments.addAll(List.of("--max-frames", Long.toString(plan.frames())));
        arguments.addAll(List.of("--warmup", Integer.toString(plan.fps())));
        arguments.addAll(List.of("--connect-timeout-ms", Long.toString(TimeUnit.SECONDS.toMillis(START_SECONDS))));
        return withCommon(arguments);
    }

    private List<String> withCommon(List<String> arguments) {
        arguments.addAll(List.of("--key", key, "--socket-dir", directory.toString()));
        arguments.addAll(List.of("--json", "--progress", "json", "--until-stdin-ends"));
        return arguments;
    }

    /** Why there is no point in going on, or null. */
    private String trouble(boolean late) {
        if (camera.failure() != null) {
            return "the test pattern could not be pushed: " + camera.failure().getMessage();
        }
        if (!source.isAlive()) {
            return "the source ended before its readers";
        }
        for (Child reader : readers) {
            if (!reader.isAlive() && reader.exitCode() != ExitStatus.FINE) {
                return reader.name() + " ended with exit code " + reader.exitCode();
            }
        }
        return late
                ? "the subscribers did not get their frames in time: this machine may be too slow for " + plan.width()
                        + "x" + plan.height() + " at " + plan.fps() + " fps"
                : null;
    }

    /** The readers first, which have what they want; then the source; the camera last, so that the source does not wait for it to return. */
    private void endAll() {
        readers.forEach(Child::askToEnd);
        readers.forEach(Child::close);
        if (source != null) {
            source.close();
        }
        if (camera != null) {
            camera.close();
        }
    }

    @Override
    public void close() throws IOException {
        endAll();
        if (ownDirectory) {
            Files.deleteIfExists(directory);
        }
    }
}
