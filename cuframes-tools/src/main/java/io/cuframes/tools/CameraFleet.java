// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Several cameras in one process, each on its own: runs them, reports on them, and ends them together. For one thread. */
final class CameraFleet {
    private static final long JSON_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** Into a file, a line for each camera adds up. */
    private static final long PLAIN_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** How long the wait for progress may be late to notice that all cameras have ended. */
    private static final long LOOK_MILLIS = 100;

    /** All of them together; less than what the process has left after a signal. */
    private static final Duration PATIENCE = Duration.ofSeconds(7);

    private final List<Camera> cameras;
    private final List<CameraReport> reports;
    private final boolean json;
    private final Ticker ticker;
    private boolean saidLost;

    CameraFleet(List<CameraSettings> settings, Path socketDirectory, StopSignal stop, ChildOptions child) {
        this.json = child.json();
        this.cameras = settings.stream()
                .map(camera -> new Camera(camera, socketDirectory, stop, json))
                .toList();
        this.reports = cameras.stream().map(CameraReport::new).toList();
        Console console = Console.standardError();
        long plain = console.isTerminal() ? console.refreshNanos() : PLAIN_NANOS;
        this.ticker = new Ticker(json ? JSON_NANOS : plain);
    }

    /**
     * Runs the cameras until all have ended, or the signal comes.
     *
     * @param common how the result is printed
     * @return the exit status
     */
    int run(StopSignal stop, CommonOptions common) {
        cameras.forEach(Camera::start);
        stop.onStop(() -> cameras.forEach(Camera::interrupt));
        try {
            while (!stop.raised() && cameras.stream().anyMatch(Camera::isAlive)) {
                stop.sleep(LOOK_MILLIS);
                noteLostContext();
                if (ticker.due(System.nanoTime(), 0)) {
                    showProgress();
                }
            }
            awaitEnd();
            noteLostContext();
        } finally {
            stop.onStop(null);
        }
        reports.forEach(CameraReport::look);
        common.printResult(text(), json());
        return status(stop);
    }

    /** One line for all: each camera that works on that GPU ends by itself, as it comes to use it. */
    private void noteLostContext() {
        if (!saidLost && cameras.stream().anyMatch(Camera::hasLostContext)) {
            saidLost = true;
            Console.standardError()
                    .line("cuframes: the CUDA context is lost, and all cameras of this process share it: those on the"
                            + " GPU end now; start the command again");
        }
    }

    private void showProgress() {
        reports.forEach(CameraReport::look);
        if (json) {
            reports.forEach(report -> System.out.println(report.progressJson()));
        } else {
            Console.standardError()
                    .live(reports.stream().map(CameraReport::progressText).toArray(String[]::new));
        }
    }

    private void awaitEnd() {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        try {
            for (Camera camera : cameras) {
                if (!camera.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
                    Console.standardError()
                            .line("cuframes: camera \"" + camera.key() + "\" did not end within " + PATIENCE.toSeconds()
                                    + " s; its stream's names are left to the next publisher");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long failed() {
        return cameras.stream().filter(camera -> camera.failure() != null).count();
    }

    private static boolean endedEarly(Camera camera) {
        long wanted = camera.settings().maxFrames();
        return wanted > 0 && (camera.run() == null || camera.run().frames() < wanted);
    }

    private int status(StopSignal stop) {
        if (failed() > 0 || cameras.stream().anyMatch(Camera::isAlive)) {
            Console.standardError()
                    .line("cuframes: " + failed() + " of " + cameras.size()
                            + " cameras failed: what each says is above");
            return ExitStatus.BROKEN;
        }
        if (!stop.raised() && cameras.stream().anyMatch(CameraFleet::endedEarly)) {
            Console.standardError().line("cuframes: a camera's input ended before --max-frames");
            return ExitStatus.ENDED_EARLY;
        }
        return ExitStatus.FINE;
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        reports.forEach(report -> text.append(report.text()).append('\n'));
        return text + "" + cameras.size() + " cameras, " + failed() + " failed; CPU time of the process "
                + processCpuMillis() / 1000.0 + " s";
    }

    private JsonLine json() {
        JsonLine line = JsonLine.begin().beginArray("cameras");
        reports.forEach(report -> line.element(report.json().toString()));
        return line.endArray()
                .put("failed", failed())
                .put("process_cpu_ms", processCpuMillis())
                .end();
    }

    /** With what serves all cameras, and belongs to none. */
    private static long processCpuMillis() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .map(Duration::toMillis)
                .orElse(0L);
    }
}
