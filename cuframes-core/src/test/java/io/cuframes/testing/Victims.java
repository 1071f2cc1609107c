// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.Transport;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** Processes that wait for their turn, two of them started ahead: what their start takes goes on beside the rounds before. */
public final class Victims implements AutoCloseable {
    private static final int AHEAD = 2;

    private final Path directory;
    private final Transport transport;
    private final Class<?> main;
    private final Object[] arguments;
    private final IntFunction<String> faults;
    private final int count;
    private final Deque<Child> waiting = new ArrayDeque<>();
    private int started;

    /**
     * Starts the first ones.
     *
     * @param count how many there are
     * @param faults what is to befall each, as {@link FaultInjector} has it
     * @param directory for rehearsals, in which nothing is left
     * @param transport to rehearse with
     * @param main what each is to be
     * @param arguments its arguments
     */
    public Victims(
            int count,
            IntFunction<String> faults,
            Path directory,
            Transport transport,
            Class<?> main,
            Object... arguments) {
        this.directory = directory;
        this.transport = transport;
        this.count = count;
        this.faults = faults;
        this.main = main;
        this.arguments = arguments.clone();
        startAhead();
    }

    private void startAhead() {
        while (started < count && waiting.size() < AHEAD) {
            List<Object> all = new ArrayList<>(List.of(faults.apply(started++), directory, transport, main.getName()));
            all.addAll(Arrays.asList(arguments));
            waiting.add(Child.start(FaultInjector.options(""), Map.of(), Victim.class, all.toArray()));
        }
    }

    /** The next one, which waits for {@link Child#tell} to begin; the caller's. */
    public Child next() {
        Child victim = waiting.remove();
        startAhead();
        return victim;
    }

    @Override
    public void close() {
        waiting.forEach(Child::close);
    }
}
