// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.cuda.CudaIpcRingView;
import io.cuframes.internal.protocol.SlotPlace;
import io.cuframes.testing.Child;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.DeviceStream;
import io.cuframes.testing.ExporterProcess;
import io.cuframes.testing.StandInTest;
import io.cuframes.testing.StreamGate;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** One handle of another process's memory that CUDA takes long to close. */
@StandInTest
class IpcHandlesStandInTest {
    private static final long PATIENCE_SECONDS = 30;

    private static CudaIpcRingView open(byte[] handle) {
        SlotPlace place = new SlotPlace(0, 1, 1, MemorySegment.ofArray(handle).asReadOnly());
        return new CudaIpcRingView(Cuda.device(0), new SlotPlace[] {place}, "of a test");
    }

    private static byte[] handle(Child exporter) {
        return HexFormat.of().parseHex(exporter.answer());
    }

    private static Thread closing(CudaIpcRingView view) {
        Thread thread = Thread.ofPlatform().daemon().start(view::close);
        LockSupport.parkNanos(
                200_000_000); // it is inside CUDA's call by now, or comes there: the handle is closing either way
        return thread;
    }

    private static CudaIpcRingView within(FutureTask<CudaIpcRingView> opening) {
        try {
            return opening.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("another handle is not opened", e);
        }
    }

    @Test
    void aCloseThatBlocksKeepsNobodyFromAnotherHandle() throws InterruptedException {
        Cuda.load();
        try (Child exporter = Child.start(ExporterProcess.class, 2)) {
            byte[] slow = handle(exporter);
            byte[] other = handle(exporter);
            CudaIpcRingView first = open(slow);
            CudaStandIn.set("BLOCK", 1);
            try (DeviceStream busy = new DeviceStream();
                    StreamGate gate = new StreamGate()) {
                gate.block(busy.handle());
                Thread closing = closing(first);
                FutureTask<CudaIpcRingView> opening = new FutureTask<>(() -> open(other));
                Thread.ofPlatform().daemon().start(opening);
                CudaIpcRingView second = within(opening);
                CuframesException late = assertThrows(CuframesException.class, () -> open(slow));
                assertEquals(ErrorCode.TIMEOUT, late.code());
                assertTrue(late.isPassing(), "another attempt may succeed");
                gate.open();
                closing.join();
                open(slow).close();
                second.close();
            }
        }
    }

    @Test
    void aHandleThatIsUsedTwiceIsOpenedOnceAndClosedWithTheLastUser() {
        Cuda.load();
        try (Child exporter = Child.start(ExporterProcess.class, 1)) {
            byte[] handle = handle(exporter);
            CudaIpcRingView first = open(handle);
            assertEquals(
                    0,
                    CudaStandIn.calls(() -> {
                                CudaIpcRingView second = open(handle);
                                assertEquals(first.address(0), second.address(0));
                                second.close();
                            })
                            .stream()
                            .filter(call -> call.startsWith("cudaIpc"))
                            .count());
            first.close();
        }
    }
}
