// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

/** The steps of a close. Each runs, whatever those before it throw. */
final class Steps {
    private Steps() {}

    /**
     * Runs them in order.
     *
     * @throws RuntimeException or Error: the first that a step throws, with the later ones suppressed in it
     */
    static void runAll(Runnable... steps) {
        Throwable first = null;
        for (Runnable step : steps) {
            try {
                step.run();
            } catch (RuntimeException | Error e) {
                first = join(first, e);
            }
        }
        if (first instanceof Error error) {
            throw error;
        } else if (first instanceof RuntimeException exception) {
            throw exception;
        }
    }

    /** Closes them in order; null stands for what was never made. None of them throws a checked exception. */
    static void closeAll(AutoCloseable... parts) {
        Runnable[] steps = new Runnable[parts.length];
        for (int i = 0; i < parts.length; i++) {
            AutoCloseable part = parts[i];
            steps[i] = () -> close(part);
        }
        runAll(steps);
    }

    private static void close(AutoCloseable part) {
        try {
            if (part != null) {
                part.close();
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("a close threw a checked exception", e);
        }
    }

    /** Runs the steps after something failed: what they throw is suppressed in the failure, which is for the caller to throw. */
    static void runAllAfter(Throwable failure, Runnable... steps) {
        try {
            runAll(steps);
        } catch (RuntimeException | Error e) {
            join(failure, e);
        }
    }

    private static Throwable join(Throwable first, Throwable next) {
        if (first == null) {
            return next;
        }
        if (!first.equals(next)) { // the same OutOfMemoryError may be thrown twice
            first.addSuppressed(next);
        }
        return first;
    }
}
