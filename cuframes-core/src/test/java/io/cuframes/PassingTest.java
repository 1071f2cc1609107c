// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.ffm.Errno;
import io.cuframes.ffm.LibCuda;
import io.cuframes.internal.os.Posix;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PassingTest {
    private static final Set<ErrorCode> PASSING = EnumSet.of(
            ErrorCode.NOT_FOUND, ErrorCode.TIMEOUT, ErrorCode.DISCONNECTED, ErrorCode.NO_SLOT, ErrorCode.SYSTEM);

    @Test
    void anErrorOfWhichNothingElseIsKnownIsClassifiedByItsCode() {
        for (ErrorCode code : ErrorCode.values()) {
            assertEquals(PASSING.contains(code), new CuframesException(code, "x").isPassing(), code::name);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.ENOBUFS, Errno.ENOSPC, Errno.EAGAIN})
    void whatIsShortForAMomentPasses(int errno) {
        CuframesException failure = Posix.failure("opening x", errno);
        assertEquals(ErrorCode.SYSTEM, failure.code());
        assertTrue(failure.isPassing());
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.EINVAL, Errno.ENOSYS, Errno.EROFS, Errno.ENAMETOOLONG, Errno.EACCES, Errno.EPERM})
    void whatAnotherAttemptMeetsAgainIsFinal(int errno) {
        assertFalse(Posix.failure("opening x", errno).isPassing());
    }

    @Test
    void deviceMemoryMayBeFreedByOthersAndALostContextStaysLost() {
        CudaException full = new CudaException("cuMemCreate", LibCuda.CUDA_ERROR_OUT_OF_MEMORY, "full");
        assertTrue(full.isPassing());
        assertFalse(full.isContextLost());
        CudaException lost = new CudaException("cuStreamQuery", LibCuda.CUDA_ERROR_ILLEGAL_ADDRESS, "lost");
        assertFalse(lost.isPassing());
        assertTrue(lost.isContextLost());
        assertFalse(new CudaException("cuMemMap", LibCuda.CUDA_ERROR_INVALID_VALUE, "wrong").isContextLost());
    }
}
