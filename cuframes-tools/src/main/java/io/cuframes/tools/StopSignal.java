// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The wish of the user, or of the program that started this one, that the command should end: Ctrl-C, SIGTERM, the end of standard input. The
 * command ends its loop, prints its summary and closes what it opened; only then does the process exit, with the command's own exit code.
 */
final class StopSignal {
    private static final StopSignal INSTANCE = new StopSignal();

    /** How long the command has to end in order. A device ring alone may take 4 s: 2 for its GPU, 2 for its readers. */
    private static final long PATIENCE_SECONDS = 8;

    private final CountDownLatch finished = new CountDownLatch(1);
    private volatile boolean raised;
    private volatile boolean exiting;
    private volatile int status;
    private Runnable action;

    private StopSignal() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::shutDown, "cuframes-stop"));
    }

    /** The process's one. */
    static StopSignal get() {
        return INSTANCE;
    }

    /** Whether the command should end. */
    boolean raised() {
        return raised;
    }

    /**
     * Says how to end what the command is blocked in; done at once if the wish is there already.
     *
     * @param newAction may be called on any thread, at any time until replaced; null for nothing
     */
    synchronized void onStop(Runnable newAction) {
        action = newAction;
        if (raised && action != null) {
            action.run();
        }
    }

    /** Sleeps until the wish comes or the time is up. */
    synchronized void sleep(long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        long left = millis;
        while (!raised && left > 0) {
            try {
                wait(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        }
    }

    /** Raises the signal. */
    synchronized void raise() {
        if (!raised) {
            raised = true;
            notifyAll();
            if (action != null) {
                action.run();
            }
        }
    }

    /** Raises the signal, and makes sure that the process ends, when standard input ends. */
    void stopAtEndOfStdin() {
        Thread thread = new Thread(this::drainStdin, "cuframes-stdin");
        thread.setDaemon(true);
        thread.start();
    }

    private void drainStdin() {
        byte[] ignored = new byte[64];
        try {
            while (System.in.read(ignored) >= 0) {
                // whatever it says
            }
        } catch (IOException e) {
            // as good as its end
        }
        System.exit(ExitStatus.FINE); // the hook raises the signal and waits for the command
    }

    /** The command is done, and this is its exit code. */
    void finish(int newStatus) {
        status = newStatus;
        exiting = true;
        finished.countDown();
    }

    private void shutDown() {
        if (exiting) {
            return;
        }
        raise();
        try {
            if (finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                Runtime.getRuntime().halt(status); // exit() would give the signal's number instead
            }
        } catch (InterruptedException e) {
            // then the command is not waited for
        }
        Console.standardError().line("cuframes: the command did not end within " + PATIENCE_SECONDS + " s; giving up");
        Runtime.getRuntime().halt(ExitStatus.BROKEN);
    }
}
