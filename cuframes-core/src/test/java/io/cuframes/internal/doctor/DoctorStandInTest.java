// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.connect.StreamKey;
import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.StandInTest;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The doctor with GPUs, and with ones that lack something. */
@StandInTest
class DoctorStandInTest {
    private static final int NOT_SUPPORTED = 801;
    private static final int OUT_OF_MEMORY = 2;

    @TempDir
    Path sockets;

    private List<Finding> examine() {
        return new Doctor(
                        new Machine(Path.of("/")),
                        StreamKey.segmentDirectory(),
                        sockets,
                        CudaStandIn.environment(),
                        finding -> {})
                .examine();
    }

    private static List<Finding> find(List<Finding> findings, Check check) {
        return findings.stream().filter(each -> each.check() == check).toList();
    }

    private static void assertAll(Outcome outcome, int count, List<Finding> findings) {
        assertEquals(count, findings.size(), findings::toString);
        for (Finding finding : findings) {
            assertEquals(outcome, finding.outcome(), finding::toString);
        }
    }

    /** Two devices, each tried, and each from the other; another process reads a frame of each by both ways. */
    @Test
    void everythingOfEveryDeviceIsTried() {
        List<Finding> findings = examine();
        assertAll(Outcome.WORKS, 1, find(findings, Check.DRIVER));
        assertAll(Outcome.WORKS, 1, find(findings, Check.RUNTIME));
        for (Check check : List.of(
                Check.DEVICE,
                Check.MIG,
                Check.STREAM_WRITES,
                Check.VMM,
                Check.READ_ONLY,
                Check.CUDA_VMM,
                Check.CUDA_IPC,
                Check.OTHER_DEVICE)) {
            assertAll(Outcome.WORKS, 2, find(findings, check));
        }
    }

    @Test
    void aDriverThatSharesNoMemoryByDescriptorsLeavesIpc() {
        CudaStandIn.set("DEVICES", 1);
        CudaStandIn.set("FAIL", "cuMemExportToShareableHandle:1+:" + NOT_SUPPORTED);
        List<Finding> findings = examine();
        List<Finding> vmm = find(findings, Check.VMM);
        assertAll(Outcome.FAILS, 1, vmm);
        assertTrue(vmm.getFirst().found().contains("cuMemExportToShareableHandle"), vmm::toString);
        assertTrue(vmm.getFirst().remedy().contains("CUDA_IPC"), vmm::toString);
        assertAll(Outcome.UNTRIED, 1, find(findings, Check.READ_ONLY));
        assertAll(Outcome.UNTRIED, 1, find(findings, Check.CUDA_VMM));
        assertAll(Outcome.WORKS, 1, find(findings, Check.CUDA_IPC));
    }

    @Test
    void aDriverThatLetsReadersWriteIsFoundOut() {
        CudaStandIn.set("DEVICES", 1);
        CudaStandIn.set("LAX", 1);
        List<Finding> findings = examine();
        assertAll(Outcome.WORKS, 1, find(findings, Check.VMM));
        List<Finding> readOnly = find(findings, Check.READ_ONLY);
        assertAll(Outcome.FAILS, 1, readOnly);
        assertTrue(readOnly.getFirst().remedy().contains("every reader is trusted"), readOnly::toString);
        assertAll(Outcome.UNTRIED, 1, find(findings, Check.CUDA_VMM));
    }

    @Test
    void aDriverThatSharesNoMemoryByHandlesLeavesVmm() {
        CudaStandIn.set("DEVICES", 1);
        CudaStandIn.set("FAIL", "cudaIpcGetMemHandle:1+:" + NOT_SUPPORTED);
        List<Finding> findings = examine();
        assertAll(Outcome.WORKS, 1, find(findings, Check.CUDA_VMM));
        List<Finding> ipc = find(findings, Check.CUDA_IPC);
        assertAll(Outcome.FAILS, 1, ipc);
        assertTrue(ipc.getFirst().found().contains("cudaIpcGetMemHandle"), ipc::toString);
    }

    @Test
    void aDeviceWithoutStreamWritesCanAnnounceNothing() {
        CudaStandIn.set("DEVICES", 1);
        CudaStandIn.set("FAIL", "cuStreamWriteValue64_v2:1+:" + NOT_SUPPORTED);
        List<Finding> findings = examine();
        assertAll(Outcome.FAILS, 1, find(findings, Check.STREAM_WRITES));
        assertAll(Outcome.UNTRIED, 1, find(findings, Check.CUDA_VMM));
        assertAll(Outcome.UNTRIED, 1, find(findings, Check.CUDA_IPC));
        assertAll(Outcome.WORKS, 1, find(findings, Check.HOST));
    }

    @Test
    void aDeviceThatCannotBeUsedIsNamedAndTheOtherIsTried() {
        CudaStandIn.set("FAIL", "cuMemGetInfo_v2:1:" + OUT_OF_MEMORY);
        List<Finding> findings = examine();
        List<Finding> devices = find(findings, Check.DEVICE);
        assertEquals(Outcome.FAILS, devices.get(0).outcome(), devices::toString);
        assertEquals(Outcome.WORKS, devices.get(1).outcome(), devices::toString);
        assertEquals(Outcome.UNTRIED, find(findings, Check.CUDA_VMM).get(0).outcome());
        assertEquals(Outcome.WORKS, find(findings, Check.CUDA_VMM).get(1).outcome());
    }

    @Test
    void aDeviceThatCannotReachAnotherIsANote() {
        CudaStandIn.set("FAIL", "cuMemcpyDtoHAsync_v2:1+:" + NOT_SUPPORTED);
        List<Finding> findings = examine();
        assertAll(Outcome.NOTE, 2, find(findings, Check.OTHER_DEVICE));
        assertAll(Outcome.WORKS, 2, find(findings, Check.CUDA_VMM));
    }

    @Test
    void aHostWithoutAVisibleDeviceIsToldSo() {
        CudaStandIn.set("DEVICES", 0);
        List<Finding> findings = examine();
        List<Finding> driver = find(findings, Check.DRIVER);
        assertTrue(
                driver.getFirst().outcome() == Outcome.FAILS
                        || find(findings, Check.DEVICE).getFirst().outcome() == Outcome.FAILS,
                findings::toString);
    }
}
