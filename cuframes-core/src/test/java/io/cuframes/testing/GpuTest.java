// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.internal.cuda.Cuda;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A test that needs a GPU: runs wherever one is found, and is reported as skipped, with the reason, where none is. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Tag("gpu")
@ExtendWith(GpuTest.Condition.class)
public @interface GpuTest {
    /** Looks for a GPU once. */
    final class Condition implements ExecutionCondition {
        private static final String REASON = whyUnavailable();

        private static String whyUnavailable() {
            String reason = Cuda.whyUnavailable();
            if (reason == null && Cuda.device(0).name().equals(CudaStandIn.DEVICE_NAME)) {
                return "this process's CUDA is the stand-in";
            }
            return reason;
        }

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return REASON == null
                    ? ConditionEvaluationResult.enabled("a CUDA device is there")
                    : ConditionEvaluationResult.disabled("needs a GPU: " + REASON);
        }
    }
}
