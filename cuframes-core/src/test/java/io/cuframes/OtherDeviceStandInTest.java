// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.StandInTest;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@link OtherDeviceConformance} without a GPU, and what one or two GPUs of a kind do not show. */
@StandInTest
class OtherDeviceStandInTest extends OtherDeviceConformance {
    @Override
    String visibility() {
        return CudaStandIn.variable("VISIBLE");
    }

    private static String answerOf(Map<String, String> environment) {
        try (StreamFixture stream = new StreamFixture();
                Publisher publisher = Publisher.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .transport(Transport.CUDA_VMM)
                        .size(64, 64)
                        .open();
                Child reader = Child.start(
                        environment,
                        SubscriberProcess.class,
                        stream.key(),
                        stream.directory(),
                        SubscriberMode.NEWEST_ONLY)) {
            String answer = reader.answer();
            assertEquals(0, publisher.subscribers());
            return answer;
        }
    }

    @Test
    void whoSeesSeveralGpusAndNotTheRingsIsAskedToChoose() {
        String answer = answerOf(Map.of(CudaStandIn.variable("DEVICES"), "3", CudaStandIn.variable("VISIBLE"), "2,1"));
        assertTrue(answer.startsWith("error CUDA the frames are on GPU-"), answer);
        assertTrue(answer.contains("choose one of these to read on"), answer);
        assertTrue(answer.contains("--device"), answer);
    }

    @Test
    void whereTheGpuCannotReachTheOtherTheRemedyIsNamed() {
        String answer = answerOf(
                Map.of(CudaStandIn.variable("VISIBLE"), "1", CudaStandIn.variable("FAIL"), "cuMemSetAccess:1:801"));
        assertTrue(answer.startsWith("error CUDA a ring of "), answer);
        assertTrue(answer.contains("which this process does not see"), answer);
        assertTrue(answer.contains("copy what you need through host memory"), answer);
    }

    @Test
    void aGpuThatIsMappedAndNotReachedIsFoundOutAtOnce() {
        String answer = answerOf(Map.of(
                CudaStandIn.variable("VISIBLE"), "1", CudaStandIn.variable("FAIL"), "cuMemcpyDtoHAsync_v2:1:801"));
        assertTrue(answer.startsWith("error CUDA a ring of "), answer);
        assertTrue(answer.contains("peer access"), answer);
    }
}
