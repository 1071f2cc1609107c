// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.FrameFormat;
import java.util.Locale;

/** One camera of several as a line of text and as JSON: while it runs, and at its end. For the thread that reports. */
final class CameraReport {
    private static final double MIB = 1 << 20;

    private final Camera camera;
    private final long startedNanos = System.nanoTime();
    private long lastNanos = startedNanos;
    private long lastFrames;
    private long lastCpuNanos;
    private double fps = Double.NaN;
    private double cpuPercent = Double.NaN;

    CameraReport(Camera camera) {
        this.camera = camera;
    }

    Camera camera() {
        return camera;
    }

    /** Takes new figures; rates are since they were taken last. */
    void look() {
        long now = System.nanoTime();
        long frames = frames();
        long cpu = camera.cpuNanos();
        double seconds = (now - lastNanos) / 1e9;
        fps = (frames - lastFrames) / seconds;
        cpuPercent = 100 * (cpu - lastCpuNanos) / 1e9 / seconds;
        lastNanos = now;
        lastFrames = frames;
        lastCpuNanos = cpu;
    }

    private long frames() {
        return camera.run() == null ? 0 : camera.run().frames();
    }

    private long dropped() {
        return camera.run() == null ? 0 : camera.run().dropped();
    }

    private SourceDamage damage() {
        return SourceDamage.of(camera.source());
    }

    private String decoder() {
        return camera.source() == null ? null : camera.source().decoder().name();
    }

    private String state() {
        boolean failed = camera.failure() != null;
        return (failed ? Camera.State.FAILED : camera.state()).name().toLowerCase(Locale.ROOT);
    }

    /** How it goes on. */
    String progressText() {
        return String.format(
                Locale.ROOT,
                "%s  %s  %.1f fps  frames %d  dropped %d%s  subscribers %d  %s  %s  cpu %.1f %%",
                camera.key(),
                state(),
                fps,
                frames(),
                dropped(),
                damage().text("  "),
                camera.run() == null ? 0 : camera.run().subscribers(),
                decoder() == null ? "no decoder" : decoder(),
                memoryText(),
                cpuPercent);
    }

    private String memoryText() {
        long device = camera.ringDeviceBytes() + camera.decoderDeviceBytes();
        return device == 0
                ? String.format(Locale.ROOT, "host %.1f MiB", camera.ringHostBytes() / MIB)
                : String.format(Locale.ROOT, "vram %.1f MiB", device / MIB);
    }

    JsonLine progressJson() {
        JsonLine line = JsonLine.begin()
                .put("event", "progress")
                .put("key", camera.key())
                .put("state", state())
                .put("frames", frames())
                .put("dropped", dropped());
        damage().putInto(line)
                .put("subscribers", camera.run() == null ? 0 : camera.run().subscribers())
                .put("decoder", decoder());
        return putCosts(line)
                .putTenths("fps", fps)
                .putTenths("cpu_percent", cpuPercent)
                .end();
    }

    /** What it takes of the machine. */
    private JsonLine putCosts(JsonLine line) {
        return line.put("vram_ring_bytes", camera.ringDeviceBytes())
                .put("vram_decoder_bytes", camera.decoderDeviceBytes())
                .put("host_ring_bytes", camera.ringHostBytes())
                .put("cpu_ms", lastCpuNanos / 1_000_000);
    }

    /** How it was. */
    String text() {
        String cpu = String.format(Locale.ROOT, "; CPU time %.1f s", lastCpuNanos / 1e9);
        String end = camera.failure() == null ? "" : "; FAILED: " + camera.failure();
        SourceRun run = camera.run();
        return (run == null
                        ? camera.key() + ": never opened"
                        : new SourceReport(camera.key(), camera.source(), run).text())
                + cpu
                + end;
    }

    JsonLine json() {
        SourceRun run = camera.run();
        FrameFormat format = camera.source() == null ? null : camera.source().format();
        JsonLine line = JsonLine.begin()
                .put("key", camera.key())
                .put("state", state())
                .put("failure", camera.failure())
                .put(
                        "transport",
                        run == null || run.transport() == null
                                ? null
                                : run.transport().name())
                .put("decoder", decoder())
                .put("format", format == null ? null : format.pixelFormat().name())
                .put("width", format == null ? 0 : format.width())
                .put("height", format == null ? 0 : format.height())
                .put("epochs", run == null ? 0 : run.epochs())
                .put("starts", run == null ? 0 : run.starts())
                .put("frames", frames())
                .put("dropped", dropped());
        return damage().putInto(line)
                .put("max_subscribers", run == null ? 0 : run.mostSubscribers())
                .put("cpu_ms", lastCpuNanos / 1_000_000)
                .putTenths("fps", run == null ? Double.NaN : run.fps())
                .end();
    }
}
