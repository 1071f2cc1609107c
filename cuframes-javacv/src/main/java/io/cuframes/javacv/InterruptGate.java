// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOInterruptCB;
import org.bytedeco.javacpp.Pointer;

/**
 * Ends FFmpeg's blocking calls: when another thread interrupts, for good; while nobody wants frames; or when a deadline has passed. FFmpeg asks
 * through a callback.
 *
 * <p>One callback serves all gates and finds them by a number in its opaque pointer: JavaCPP has room for ten callbacks of a type in a process, which
 * sixteen cameras would exceed, and a static one is never collected.
 */
final class InterruptGate implements AutoCloseable {
    private static final ConcurrentMap<Long, InterruptGate> GATES = new ConcurrentHashMap<>();
    /** How often a sleeper looks whether it is wanted: FFmpeg's calls ask as often. */
    private static final long DEMAND_NANOS = 100_000_000;

    private static final AtomicLong NUMBERS = new AtomicLong();

    private static final class Callback extends AVIOInterruptCB.Callback_Pointer {
        static final Callback INSTANCE = new Callback();

        /** Nothing that is thrown, by the program's own question about demand, may leave this: there is only native code to catch it. */
        @Override
        public int call(Pointer opaque) {
            InterruptGate gate = opaque == null ? null : GATES.get(opaque.address());
            try {
                return gate != null && (gate.stopped() || gate.expired()) ? 1 : 0;
            } catch (Throwable e) {
                gate.failure = e;
                return 1;
            }
        }
    }

    private final long number = NUMBERS.incrementAndGet();
    private final BooleanSupplier demand;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wake = lock.newCondition();
    private volatile boolean interrupted;
    private volatile boolean armed;
    private volatile long deadline;
    private volatile Throwable failure;

    /**
     * A gate that is open.
     *
     * @param demand asked now and then, on any thread: false ends what blocks, as long as it is
     */
    InterruptGate(BooleanSupplier demand) {
        this.demand = demand;
        GATES.put(number, this);
    }

    /** Has the context's blocking calls ask this gate. */
    void guard(AVFormatContext context) {
        context.interrupt_callback().callback(Callback.INSTANCE).opaque(new NativeAddress().at(number));
    }

    /** Blocking calls end when this time is over. */
    void arm(Duration timeout) {
        deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout); // at most 292 years; more than 0
        armed = true;
    }

    /** Blocking calls may take as long as they like. */
    void disarm() {
        armed = false;
    }

    boolean expired() {
        return armed && System.nanoTime() - deadline > 0;
    }

    /** Throws, once, what the question about demand threw while FFmpeg asked. */
    void throwFailure() {
        Throwable thrown = failure;
        failure = null;
        if (thrown instanceof Error error) {
            throw error;
        } else if (thrown instanceof RuntimeException exception) {
            throw exception;
        }
    }

    boolean interrupted() {
        return interrupted;
    }

    /** Whether nothing is to be waited for now: interrupted, or nobody wants it. */
    boolean stopped() {
        return interrupted || !demand.getAsBoolean();
    }

    /** Ends blocking calls and sleeps, now and in future. From any thread. */
    void interrupt() {
        interrupted = true;
        lock.lock();
        try {
            wake.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Sleeps; false if stopped. */
    boolean sleep(long nanos) {
        long deadline = System.nanoTime() + nanos;
        long left = nanos;
        lock.lock();
        try {
            while (left > 0 && !stopped()) {
                wake.awaitNanos(Math.min(left, DEMAND_NANOS)); // nobody tells when the demand ends
                left = deadline - System.nanoTime();
            }
        } catch (InterruptedException e) {
            interrupted = true;
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
        return !stopped();
    }

    boolean sleep(Duration time) {
        return sleep(TimeUnit.NANOSECONDS.convert(time));
    }

    @Override
    public void close() {
        GATES.remove(number);
    }
}
