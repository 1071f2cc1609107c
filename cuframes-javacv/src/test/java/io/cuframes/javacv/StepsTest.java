// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepsTest {
    private final List<String> run = new ArrayList<>();

    private Runnable step(String name, RuntimeException exception, Error error) {
        return () -> {
            run.add(name);
            if (exception != null) {
                throw exception;
            } else if (error != null) {
                throw error;
            }
        };
    }

    @Test
    void eachStepRunsWhateverTheOthersThrow() {
        IllegalStateException first = new IllegalStateException("first");
        StackOverflowError second = new StackOverflowError("second");
        Throwable thrown = assertThrows(
                IllegalStateException.class,
                () -> Steps.runAll(
                        step("a", first, null),
                        step("b", null, second),
                        step("c", first, null),
                        step("d", null, null)));
        assertSame(first, thrown);
        assertArrayEquals(new Throwable[] {second}, thrown.getSuppressed());
        assertEquals(List.of("a", "b", "c", "d"), run);
    }

    @Test
    void anErrorStaysAnError() {
        assertThrows(StackOverflowError.class, () -> Steps.runAll(step("a", null, new StackOverflowError())));
    }

    @Test
    void partsThatWereNeverMadeAreLeftOut() {
        Steps.closeAll(null, () -> run.add("closed"), null);
        assertEquals(List.of("closed"), run);
    }

    @Test
    void whatFailsAfterAFailureIsKeptInIt() {
        IllegalStateException failure = new IllegalStateException("failure");
        IllegalStateException later = new IllegalStateException("later");
        Steps.runAllAfter(failure, step("a", later, null), step("b", null, null));
        assertArrayEquals(new Throwable[] {later}, failure.getSuppressed());
        assertEquals(List.of("a", "b"), run);
    }
}
