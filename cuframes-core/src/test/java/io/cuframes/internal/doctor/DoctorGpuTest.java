// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.GpuTest;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The doctor with real GPUs: what the transports' own tests show to work, it must find to work. */
@GpuTest
class DoctorGpuTest {
    private static final Set<Check> OF_EACH_DEVICE = EnumSet.of(
            Check.DEVICE, Check.MIG, Check.STREAM_WRITES, Check.VMM, Check.READ_ONLY, Check.CUDA_VMM, Check.CUDA_IPC);

    @TempDir
    Path sockets;

    @Test
    void whatTheTransportsNeedIsFoundOnEveryDevice() {
        List<Finding> findings = new Doctor(sockets, System.out::println).examine();
        int devices = Cuda.devices().size();
        for (Check check : OF_EACH_DEVICE) {
            List<Finding> found =
                    findings.stream().filter(each -> each.check() == check).toList();
            assertEquals(devices, found.size(), findings::toString);
            for (Finding finding : found) {
                assertNotEquals(Outcome.FAILS, finding.outcome(), finding::toString);
                assertNotEquals(Outcome.UNTRIED, finding.outcome(), finding::toString);
            }
        }
    }
}
