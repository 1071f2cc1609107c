// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.CudaException;
import io.cuframes.CuframesException;
import io.cuframes.Publisher;
import io.cuframes.javacv.VideoSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * One of several cameras of a process: a thread of its own, with all that happens to it. What fails here ends this camera and no other. Its
 * accessors are safe from any thread.
 */
final class Camera implements SourceRun.Watcher {
    /** What a camera is at, in the words of its reports. */
    enum State {
        OPENING,
        /** It could not be opened, was lost, or waits for the GPU, and is tried again. */
        RETRYING,
        DECODING,
        IDLE,
        STARTING,
        /** It came to its end, or was told to stop. */
        ENDED,
        /** It failed for good. */
        FAILED;

        private boolean isTerminal() {
            return this == ENDED || this == FAILED;
        }
    }

    private final CameraSettings settings;
    private final Path socketDirectory;
    private final StopSignal stop;
    private final boolean json;
    private final Thread thread;
    private final CameraCpu cpu;
    private volatile VideoSource source;
    private volatile SourceRun run;
    private volatile State state = State.OPENING;
    private volatile String failure;
    private volatile boolean contextLost;

    Camera(CameraSettings settings, Path socketDirectory, StopSignal stop, boolean json) {
        this.settings = settings;
        this.socketDirectory = socketDirectory;
        this.stop = stop;
        this.json = json;
        ThreadGroup group = new ThreadGroup("camera " + settings.key());
        this.cpu = new CameraCpu(group);
        this.thread = new Thread(group, this::live, "cuframes-" + settings.key() + "-source");
        thread.setDaemon(true); // one that hangs in a name look-up must not keep the process
    }

    void start() {
        thread.start();
    }

    /** Ends what the camera is blocked in; it then ends by itself. */
    void interrupt() {
        VideoSource opened = source;
        if (opened != null) {
            opened.interrupt();
        }
    }

    /** Waits for its end; false if it does not come in time. */
    boolean join(Duration patience) throws InterruptedException {
        return thread.join(patience);
    }

    boolean isAlive() {
        return thread.isAlive();
    }

    /** Whatever goes wrong with one camera, its others must not notice. */
    private void live() {
        try {
            publish();
            if (state == State.RETRYING && (run == null || run.publisher() == null)) {
                fail("it could not be reached until the end");
            } else {
                state = State.ENDED;
            }
        } catch (Throwable e) { // an Error that ended this thread would be nobody's failure
            contextLost = e instanceof CudaException cuda && cuda.isContextLost();
            fail(e instanceof CuframesException ? e.getMessage() : "unexpected " + e);
            ToolLogger.traceForDebug(e);
        } finally {
            cpuNanos(); // while this thread can be asked
        }
    }

    /** The state first: telling of it may fail, too. */
    private void fail(String reason) {
        failure = reason;
        state = State.FAILED;
        say("failed: " + reason);
        if (json) {
            System.out.println(event("failed").put("reason", reason).end());
        }
    }

    private void publish() {
        settings.stream().requireFreeKey(); // said before the camera is asked
        Demand demand = Demand.of(settings, stop::raised);
        try (VideoSource opened = open(demand)) {
            if (opened == null) {
                return; // stopped before it could be reached
            }
            source = opened;
            say("opened " + opened.describe());
            SourceRun begun = new SourceRun(
                    opened,
                    format -> settings.openStream(format, opened.timeBase(), socketDirectory),
                    settings.maxFrames(),
                    demand,
                    this,
                    true);
            run = begun;
            if (stop.raised()) {
                opened.interrupt(); // the signal came before there was something to interrupt
            }
            begun.run(stop);
            cpuNanos(); // before its decoder's threads end
        }
    }

    /** Opens the source: again and again, where that may help. Null if it was stopped meanwhile. */
    private VideoSource open(Demand demand) {
        RetryWait waits = new RetryWait();
        while (true) {
            Duration wait;
            try {
                return settings.openSource(demand, new Events());
            } catch (CuframesException e) {
                if (stop.raised()) {
                    return null;
                }
                if (!isTriedAgain(e)) {
                    throw e;
                }
                wait = waits.next();
                noteRetry(e.getMessage(), wait);
            }
            stop.sleep(wait.toMillis());
            if (stop.raised()) {
                return null;
            }
        }
    }

    /** A camera may come back; a GPU that is short of memory may have some later, whatever is decoded. */
    private boolean isTriedAgain(CuframesException e) {
        boolean isCamera = settings.reconnect() && isNetwork();
        return e.isPassing() && (isCamera || e instanceof CudaException);
    }

    private void noteRetry(String reason, Duration retryIn) {
        state = State.RETRYING;
        say(SourceProgress.retry(reason, retryIn));
        if (json) {
            System.out.println(event("lost").put("reason", reason).end());
        }
    }

    private boolean isNetwork() {
        return VideoSource.isNetwork(settings.address());
    }

    /** What happens to the source, with the camera's name before it. */
    private final class Events implements VideoSource.Listener {
        @Override
        public void lost(String reason, Duration retryIn) {
            if (run != null) {
                run.noteLoss();
            }
            noteRetry("the input is lost: " + reason, retryIn);
        }

        @Override
        public void restored(String description) {
            state = State.DECODING;
            say("the input is back: " + description);
            if (json) {
                System.out.println(event("restored").end());
            }
        }

        @Override
        public void fellBack(String reason) {
            say("decoding on the CPU: " + reason);
        }

        @Override
        public void stalled(String reason) {
            state = State.RETRYING;
            say(SourceEvents.dropping(reason));
            if (json) {
                System.out.println(event("stalled").put("reason", reason).end());
            }
        }

        @Override
        public void resumed() {
            state = State.DECODING;
            say(SourceEvents.RESUMED);
            if (json) {
                System.out.println(event("resumed").end());
            }
        }
    }

    private void say(String text) {
        Console.standardError().line(key() + ": " + text);
    }

    private JsonLine event(String name) {
        return JsonLine.begin().put("event", name).put("key", key());
    }

    @Override
    public void waiting(SourceRun of, String reason, Duration retryIn) {
        noteRetry("the stream cannot be opened: " + reason, retryIn);
    }

    @Override
    public void opened(SourceRun of) {
        state = stateIn(of.phase());
        Publisher publisher = of.publisher();
        say(SourceProgress.announcement(publisher));
        if (of.epochs() > 1) {
            say(SourceProgress.change(publisher));
        }
        if (json) {
            System.out.println(
                    event("opened").put("transport", of.transport().name()).end());
        }
    }

    @Override
    public void turned(SourceRun of) {
        state = stateIn(of.phase());
        String text = SourceProgress.turn(of);
        if (!text.isEmpty()) {
            say(text);
        }
        if (json) {
            System.out.println(event(state.name().toLowerCase(Locale.ROOT)).end());
        }
    }

    private static State stateIn(SourceRun.Phase phase) {
        return switch (phase) {
            case OPENING -> State.OPENING;
            case DECODING -> State.DECODING;
            case IDLE -> State.IDLE;
            case STARTING -> State.STARTING;
        };
    }

    @Override
    public void offered(SourceRun of) {
        // whoever reports asks by itself
    }

    String key() {
        return settings.key();
    }

    CameraSettings settings() {
        return settings;
    }

    State state() {
        return state;
    }

    /** Why it failed for good; null if it did not. A thread that has ended without a word has failed, whatever ended it. */
    String failure() {
        boolean vanished = thread.getState() == Thread.State.TERMINATED && !state.isTerminal();
        return vanished && failure == null ? "its thread ended unexpectedly" : failure;
    }

    /** Whether it failed because the CUDA context, which all cameras of the process share, is lost. */
    boolean hasLostContext() {
        return contextLost;
    }

    /** What it has published; null before it could be opened. */
    SourceRun run() {
        return run;
    }

    /** Where it is decoded; null before it could be opened. */
    VideoSource source() {
        return source;
    }

    /** CPU time of its threads so far. */
    long cpuNanos() {
        VideoSource opened = source;
        return cpu.nanos(opened == null ? List.of() : opened.decoderThreads());
    }

    /** Device memory of its ring. */
    long ringDeviceBytes() {
        return isOnDevice() ? ringBytes() : 0;
    }

    /** Host memory of its ring. */
    long ringHostBytes() {
        return isOnDevice() ? 0 : ringBytes();
    }

    private boolean isOnDevice() {
        return run != null && run.transport() != null && run.transport().isDevice();
    }

    private long ringBytes() {
        boolean there = run != null && run.publisher() != null && thread.isAlive();
        return there ? run.publisher().ringBytes() : 0;
    }

    /** Device memory of its decoder's surfaces. */
    long decoderDeviceBytes() {
        return source == null ? 0 : source.decoderDeviceBytes();
    }
}
