// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.LibCudart;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.DeviceStream;
import io.cuframes.testing.StandInTest;
import io.cuframes.testing.StreamGate;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Streams and addresses without a GPU. */
@StandInTest
class DeviceStreamStandInTest extends DeviceStreamConformance {
    DeviceStreamStandInTest() {
        super(Transport.CUDA_IPC);
    }

    private static List<String> callsOfOneFrame(Publisher publisher, long stream) {
        WritableFrame frame = publisher.acquire();
        return CudaStandIn.calls(() -> frame.publish(stream, 1));
    }

    @Test
    void aStreamIsLookedAtOnceAndPublishingNeverWaitsForIt() {
        long first = Cuda.createStream();
        long second = Cuda.createStream();
        try (Publisher publisher = publisher().open()) {
            assertTrue(callsOfOneFrame(publisher, first).contains("cuStreamGetCtx"));
            assertFalse(callsOfOneFrame(publisher, first).contains("cuStreamGetCtx"));
            assertTrue(callsOfOneFrame(publisher, second).contains("cuStreamGetCtx"));
            for (long stream : new long[] {second, publisher.stream(), second}) {
                List<String> calls = callsOfOneFrame(publisher, stream);
                assertFalse(calls.contains("cuStreamGetCtx"), calls.toString());
                assertTrue(calls.contains("cuStreamWriteValue64_v2"), calls.toString());
                assertTrue(calls.stream().noneMatch(call -> call.contains("Synchronize")), calls.toString());
            }
        }
        for (long stream : new long[] {first, second}) {
            assertEquals(LibCudart.cudaSuccess, LibCudart.cudaStreamDestroy(stream));
        }
    }

    @Test
    void openingOnACallersStreamDoesNotWaitForItsWork() {
        try (DeviceStream callers = new DeviceStream();
                StreamGate gate = new StreamGate().block(callers.handle());
                Publisher publisher = publisher().stream(callers.handle()).open()) {
            assertEquals(LibCudart.cudaErrorNotReady, LibCudart.cudaStreamQuery(callers.handle()));
            gate.open();
            assertEquals(callers.handle(), publisher.stream());
        }
    }
}
