// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.fault;

/**
 * The fault points: where a test has this process die, stop or fail.
 *
 * <p>They do nothing unless the system property {@value #HANDLER_PROPERTY} names a {@link FaultHandler} when this class is loaded, and the library
 * has none: the code that kills is in its tests. So an application cannot be steered by accident. A property of a JVM is not inherited by the processes
 * it starts, as a variable of the environment is; the name of a class that is not there is an error, not ignored; and a process whose points are armed
 * says so.
 *
 * <p>Unarmed, {@link #reach} is an empty method once it is compiled: the handler is a constant.
 */
public final class Faults {
    /** The system property that names the handler's class. */
    public static final String HANDLER_PROPERTY = "cuframes.faultHandler";

    private static final FaultHandler HANDLER = load(System.getProperty(HANDLER_PROPERTY));

    private Faults() {}

    private static FaultHandler load(String name) {
        if (name == null) {
            return null;
        }
        try {
            FaultHandler handler = Class.forName(name)
                    .asSubclass(FaultHandler.class)
                    .getDeclaredConstructor()
                    .newInstance();
            System.getLogger(Faults.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "fault points are armed by -D" + HANDLER_PROPERTY + "=" + name
                                    + ": this process may be killed, stopped or made to fail");
            return handler;
        } catch (ReflectiveOperationException | ClassCastException e) {
            throw new IllegalStateException(
                    "-D" + HANDLER_PROPERTY + "=" + name
                            + " names no fault handler that can be loaded: leave the property"
                            + " out, it is for the library's own tests",
                    e);
        }
    }

    /**
     * Says that a step was reached.
     *
     * @param point the step
     */
    public static void reach(FaultPoint point) {
        if (HANDLER != null) {
            HANDLER.reached(point);
        }
    }
}
