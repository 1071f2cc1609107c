// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * A class of tests that has the {@link CudaStandIn} as its CUDA, with or without a GPU; skipped, with the reason, where there is no C compiler. Each test
 * finds the stand-in's settings as they are by default, and must leave nothing of CUDA behind in this JVM. Since a JVM has one CUDA for all its
 * life, these tests run in a JVM of their own: the tag keeps them out of the others.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("standin")
@ExtendWith(StandInTest.Extension.class)
public @interface StandInTest {
    /** Has the stand-in made, and looks after each test whether something was left. */
    final class Extension implements ExecutionCondition, BeforeEachCallback, AfterEachCallback {
        private static final long PATIENCE_NANOS = 30_000_000_000L;

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            try {
                CudaStandIn.use();
                return ConditionEvaluationResult.enabled("the CUDA stand-in is there");
            } catch (TestAbortedException e) {
                return ConditionEvaluationResult.disabled("needs the CUDA stand-in: " + e.getMessage());
            }
        }

        /** What is left once nothing is released any more: what a close could not release at once, a reaper does. */
        private static List<String> settledRemains() {
            long end = System.nanoTime() + PATIENCE_NANOS;
            List<String> remains = CudaStandIn.remains();
            while (!remains.isEmpty() && System.nanoTime() - end < 0) {
                LockSupport.parkNanos(1_000_000);
                remains = CudaStandIn.remains();
            }
            return remains;
        }

        @Override
        public void beforeEach(ExtensionContext context) {
            CudaStandIn.reset();
        }

        @Override
        public void afterEach(ExtensionContext context) {
            CudaStandIn.recoverDevice(); // where the test lost it, there is nothing to let go of
            if (context.getExecutionException().isEmpty()) { // what a failed test left is no news
                assertEquals(List.of(), settledRemains(), "what the test left behind");
            }
        }
    }
}
