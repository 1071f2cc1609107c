// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.testing.CudaStandIn;
import io.cuframes.testing.StandInTest;
import java.util.List;

/** {@link Transport#CUDA_IPC} without a GPU. */
@StandInTest
class CudaIpcKillStandInTest extends KillConformance {
    private static final int ROUNDS = 210;

    CudaIpcKillStandInTest() {
        super(Transport.CUDA_IPC, ROUNDS);
    }

    @Override
    List<String> memory() {
        return CudaStandIn.remains().stream()
                .map(line -> line.replaceAll("0x[0-9a-f]+", ""))
                .sorted()
                .toList();
    }
}
