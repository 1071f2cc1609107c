// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.cuda;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.Transport;
import io.cuframes.internal.protocol.DeviceUuid;
import java.util.List;

/**
 * Chooses the GPU that a subscriber reads a ring on. With CUDA_VMM a process need not see the ring's own GPU: it imports the ring's descriptor and
 * maps it for a GPU that it sees, which works where that GPU reaches the other one. No flag says so in advance; the mapping is tried.
 */
public final class ReaderDevice {
    /** In place of an ordinal: the ring's own GPU, or the only one that this process sees. */
    public static final int AUTOMATIC = -1;

    private ReaderDevice() {}

    /**
     * The GPU to read on.
     *
     * @param ordinal the caller's choice, as this process counts its devices, or {@link #AUTOMATIC}
     * @param transport of the ring, in device memory
     * @param owner the GPU that holds the ring
     * @throws CuframesException code CUDA if there is no CUDA here, or the ring is on a GPU that this process does not see and none can take its
     *     place; INVALID_ARGUMENT if there is no such device; UNSUPPORTED if a ring of CUDA_IPC is to be read on another GPU
     */
    public static CudaDevice choose(int ordinal, Transport transport, DeviceUuid owner) {
        Cuda.load();
        return ordinal == AUTOMATIC ? automatic(transport, owner) : chosen(Cuda.device(ordinal), transport, owner);
    }

    private static CudaDevice chosen(CudaDevice device, Transport transport, DeviceUuid owner) {
        if (transport == Transport.CUDA_IPC && !device.uuid().equals(owner)) {
            throw new CuframesException(
                    ErrorCode.UNSUPPORTED,
                    "the frames are on " + owner
                            + ", and a CUDA_IPC ring is read on its own device, since its handle opens"
                            + " on that one alone; device " + device + " was asked for: leave the device out, or"
                            + " publish with transport CUDA_VMM");
        }
        return device;
    }

    private static CudaDevice automatic(Transport transport, DeviceUuid owner) {
        CudaDevice own = Cuda.visible(owner);
        if (own != null) {
            return own;
        }
        List<CudaDevice> devices = Cuda.devices();
        if (transport == Transport.CUDA_VMM && devices.size() == 1) {
            return devices.getFirst();
        }
        throw new CuframesException(
                ErrorCode.CUDA,
                "the frames are on " + owner + ", and this process sees " + Cuda.describe(devices) + ": "
                        + remedy(transport, devices));
    }

    private static String remedy(Transport transport, List<CudaDevice> devices) {
        String visibility = "check CUDA_VISIBLE_DEVICES, or the GPUs given to the container";
        if (transport == Transport.CUDA_IPC) {
            return visibility + "; a CUDA_IPC ring is read on its own device, and one of CUDA_VMM on others, too";
        }
        return devices.isEmpty()
                ? visibility
                : "choose one of these to read on (Subscriber.Builder.device; sub-count and doctor --device), or "
                        + visibility;
    }
}
