// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.LibraryNotFoundException;
import io.cuframes.ffm.NativeLibrary;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.cuda.CudaVmmRing;
import io.cuframes.internal.cuda.StreamWrite;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What cuframes needs of a GPU. */
final class DeviceChecks {
    private static final String HOST_WORKS = "frames in host memory (transport HOST) need none of it";

    private final Machine machine;

    DeviceChecks(Machine machine) {
        this.machine = machine;
    }

    /** Loads libcuda and has it begin. */
    Finding driver() {
        String kernelModule = machine.driverVersion();
        try {
            String location = NativeLibrary.CUDA.load();
            Cuda.load();
            return Finding.works(
                    Check.DRIVER,
                    location,
                    "CUDA " + version(Cuda.driverVersion())
                            + (kernelModule.isEmpty() ? "" : ", driver " + kernelModule));
        } catch (LibraryNotFoundException e) {
            return Finding.fails(
                    Check.DRIVER,
                    "libcuda",
                    kernelModule.isEmpty()
                            ? e.summary()
                            : e.summary() + ", while the kernel has driver " + kernelModule,
                    e.remedy() + " Without: " + HOST_WORKS);
        } catch (CuframesException e) {
            return Finding.fails(
                    Check.DRIVER,
                    "libcuda",
                    e.getMessage(),
                    "see that nvidia-smi lists a GPU for this user; in a container, start it with GPU access (--gpus all). Without: "
                            + HOST_WORKS);
        }
    }

    private static String version(int version) { // 13020 is 13.2
        return version / 1000 + "." + version % 1000 / 10;
    }

    /**
     * The devices that this process sees.
     *
     * @throws CuframesException code CUDA if there is none, or what keeps them from being listed
     */
    List<CudaDevice> devices() {
        List<CudaDevice> devices = Cuda.devices();
        if (devices.isEmpty()) {
            throw new CuframesException(ErrorCode.CUDA, "this process sees no GPU");
        }
        return devices;
    }

    Finding noDevice(String reason) {
        return Finding.fails(
                Check.DEVICE,
                "",
                reason,
                "see that nvidia-smi lists the GPU, and check CUDA_VISIBLE_DEVICES and --gpus of the container; "
                        + HOST_WORKS);
    }

    /** Makes a context on a device. */
    Finding device(CudaDevice device) {
        try {
            Cuda.MemoryInfo memory = Cuda.memory(device);
            return Finding.works(
                    Check.DEVICE,
                    device.toString(),
                    "a context was made; " + (memory.free() >> 20) + " MiB free of " + (memory.total() >> 20) + " MiB");
        } catch (CuframesException e) {
            return Finding.fails(
                    Check.DEVICE,
                    device.toString(),
                    e.getMessage(),
                    "see with nvidia-smi whether its memory is full, or its compute mode lets one process in alone");
        }
    }

    Finding mig(CudaDevice device) {
        return device.name().toUpperCase(Locale.ROOT).contains("MIG ")
                ? Finding.note(
                        Check.MIG,
                        device.toString(),
                        "is a part of a GPU",
                        "give publisher and subscribers this same part: memory is not shared between parts")
                : Finding.works(Check.MIG, device.toString(), "is a whole GPU");
    }

    /** Has a stream write a word to memory of the host. */
    Finding streamWrites(CudaDevice device) {
        try {
            StreamWrite.rehearse(device);
            return Finding.works(
                    Check.STREAM_WRITES, device.toString(), "a stream wrote a word that the CPU then read");
        } catch (CuframesException | UnsupportedOperationException e) {
            return Finding.fails(
                    Check.STREAM_WRITES,
                    device.toString(),
                    e.getMessage(),
                    "update the driver to one of CUDA 12 or newer; without these, no frame can be announced by the GPU: use transport HOST");
        }
    }

    /** Makes memory that a descriptor shares, and opens it as a reader would. */
    Finding vmm(CudaDevice device) {
        try {
            CudaVmmRing.rehearse(device, device);
        } catch (CuframesException e) {
            if (e.code() != ErrorCode.UNSUPPORTED) { // that one is of the check to come
                return Finding.fails(
                        Check.VMM,
                        device.toString(),
                        e.getMessage(),
                        "publish with transport CUDA_IPC if it works below, else HOST; under WSL2 or a virtual GPU there may be no such memory");
            }
        }
        return Finding.works(Check.VMM, device.toString(), "memory was made, exported, imported and mapped");
    }

    /** Writes to such memory through a reader's mapping. */
    Finding readOnly(CudaDevice device) {
        try {
            CudaVmmRing.rehearse(device, device);
            return Finding.works(Check.READ_ONLY, device.toString(), "a write through a reader's mapping was refused");
        } catch (CuframesException e) {
            return Finding.fails(
                    Check.READ_ONLY,
                    device.toString(),
                    e.getMessage(),
                    "update the driver, or publish with transport CUDA_IPC where every reader is trusted");
        }
    }

    /** Opens memory of each device from each other one. */
    List<Finding> otherDevices(List<CudaDevice> devices) {
        List<Finding> findings = new ArrayList<>();
        for (CudaDevice owner : devices) {
            for (CudaDevice reader : devices) {
                if (owner.ordinal() != reader.ordinal()) {
                    findings.add(otherDevice(owner, reader));
                }
            }
        }
        return findings;
    }

    private static Finding otherDevice(CudaDevice owner, CudaDevice reader) {
        String which = "device " + reader.ordinal() + " reads device " + owner.ordinal();
        try {
            CudaVmmRing.rehearse(owner, reader);
            return Finding.works(Check.OTHER_DEVICE, which, "mapped through peer access");
        } catch (CuframesException e) {
            return Finding.note(
                    Check.OTHER_DEVICE,
                    which,
                    e.getMessage(),
                    "read on the publisher's own device; peer access needs NVLink, or PCIe without ACS between the two");
        }
    }

    /** Loads libcudart. */
    Finding runtime() {
        try {
            String location = NativeLibrary.CUDART.load();
            return Finding.works(Check.RUNTIME, location, "CUDA " + version(Cuda.runtimeVersion()));
        } catch (LibraryNotFoundException e) {
            return Finding.note(
                    Check.RUNTIME,
                    "libcudart",
                    e.summary() + "; it is needed for CUDA_IPC and for an application's own device buffers alone",
                    e.remedy());
        } catch (CuframesException e) {
            return Finding.fails(
                    Check.RUNTIME, "libcudart", e.getMessage(), "install a libcudart that is no newer than the driver");
        }
    }
}
