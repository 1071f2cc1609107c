// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.fault.FaultHandler;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.internal.fault.Faults;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Has this process die, stop or fail where the system property {@value #PLAN_PROPERTY} says, or {@link #arm}: {@code POINT:N:ACTION}, more of them
 * with commas between. The N-th time that the point is reached, ACTION is done: KILL (SIGKILL to itself), STOP (SIGSTOP to itself, with all its
 * threads), FAIL (an INTERNAL {@link CuframesException} instead of the step that follows) or ERROR (an {@link OutOfMemoryError}, which may come
 * anywhere). Before KILL and STOP it says {@code fault ACTION POINT NANOS} on its standard output, with the monotonic time.
 */
public final class FaultInjector implements FaultHandler {
    /** What is to be done where. */
    public static final String PLAN_PROPERTY = "cuframes.faults";

    private static final int SIGKILL = 9;
    private static final int SIGSTOP = 19;

    /** The thread stays where it is until the process stands still: another thread may take the signal first. */
    private static final long STOPPING_NANOS = 300_000_000;

    /** What is done. */
    public enum Action {
        /** kill -9. */
        KILL,
        /** kill -STOP. */
        STOP,
        /** An exception. */
        FAIL,
        /** An error, as where no thread can be made. */
        ERROR
    }

    private record Fault(FaultPoint point, long at, Action action) {
        static Fault parse(String text) {
            String[] words = text.split(":", -1);
            if (words.length != 3) {
                throw new IllegalArgumentException("\"" + text + "\" is not POINT:N:ACTION");
            }
            Fault fault = new Fault(FaultPoint.valueOf(words[0]), Long.parseLong(words[1]), Action.valueOf(words[2]));
            if (fault.at < 1 || (fault.action == Action.FAIL && !fault.point.canFail())) {
                throw new IllegalArgumentException("\"" + text + "\": times count from 1, and nothing fails but where a"
                        + " call that can fail is made");
            }
            return fault;
        }
    }

    private static volatile List<Fault> plan = parse(System.getProperty(PLAN_PROPERTY, ""));
    private static volatile Map<FaultPoint, AtomicLong> counts = zeros();

    /** For {@link Faults}. */
    public FaultInjector() {}

    /** What a JVM is started with so that this happens in it. */
    public static List<String> options(String faults) {
        return List.of(
                "-D" + Faults.HANDLER_PROPERTY + "=" + FaultInjector.class.getName(),
                "-D" + PLAN_PROPERTY + "=" + faults);
    }

    /** Begins anew, with another plan; in a JVM that was started with {@link #options}. */
    public static void arm(String faults) {
        plan = List.of();
        counts = zeros();
        plan = parse(faults);
    }

    /** How often a point was reached since the plan was made. */
    public static long timesReached(FaultPoint point) {
        return counts.get(point).get();
    }

    private static List<Fault> parse(String faults) {
        List<Fault> parsed = new ArrayList<>();
        for (String fault : faults.split(",", -1)) {
            if (!fault.isEmpty()) {
                parsed.add(Fault.parse(fault));
            }
        }
        return List.copyOf(parsed);
    }

    private static Map<FaultPoint, AtomicLong> zeros() {
        Map<FaultPoint, AtomicLong> zeros = new EnumMap<>(FaultPoint.class);
        for (FaultPoint point : FaultPoint.values()) {
            zeros.put(point, new AtomicLong());
        }
        return zeros;
    }

    @Override
    public void reached(FaultPoint point) {
        long times = counts.get(point).incrementAndGet();
        for (Fault fault : plan) {
            if (fault.point == point && fault.at == times) {
                act(fault);
            }
        }
    }

    private static void act(Fault fault) {
        switch (fault.action) {
            case KILL -> {
                signal(fault, SIGKILL);
                while (true) { // a matter of microseconds
                    LockSupport.park();
                }
            }
            case STOP -> {
                signal(fault, SIGSTOP);
                LockSupport.parkNanos(STOPPING_NANOS);
            }
            case FAIL ->
                throw new CuframesException(ErrorCode.INTERNAL, "told to fail at " + fault.point + " by a test");
            case ERROR -> throw new OutOfMemoryError("told to run out at " + fault.point + " by a test");
        }
    }

    private static void signal(Fault fault, int signal) {
        int self = Libc.getpid();
        System.out.println("fault " + fault.action + " " + fault.point + " " + System.nanoTime());
        Libc.kill(self, signal);
    }
}
