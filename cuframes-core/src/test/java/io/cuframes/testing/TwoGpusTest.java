// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.internal.cuda.Cuda;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A {@link GpuTest} that needs two GPUs; reported as skipped, with the reason, where there are fewer. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@GpuTest
@ExtendWith(TwoGpusTest.Condition.class)
public @interface TwoGpusTest {
    /** Counts the GPUs. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            if (Cuda.whyUnavailable() != null) {
                return ConditionEvaluationResult.disabled("needs two GPUs, and there is none");
            }
            int count = Cuda.devices().size();
            return count >= 2
                    ? ConditionEvaluationResult.enabled(count + " GPUs are there")
                    : ConditionEvaluationResult.disabled("needs two GPUs, and there is " + count);
        }
    }
}
