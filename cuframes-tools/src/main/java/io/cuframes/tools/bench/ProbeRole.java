// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.JsonObject;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.ffm.LibCudart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** Finds out by doing which modes this machine can do. */
final class ProbeRole {
    private ProbeRole() {}

    /** Why a mode cannot be run is the value of its name; one that can be run is not there. */
    static JsonObject run(RoleSpec spec) {
        JsonObject reasons = new JsonObject();
        JsonObject result = new JsonObject();
        Gpu gpu = null;
        for (Mode mode : Mode.values()) {
            if (!mode.needsGpu()) {
                continue;
            }
            try {
                gpu = gpu == null ? new Gpu(spec.device()) : gpu;
                tryOut(mode, spec, gpu);
            } catch (RuntimeException | LinkageError e) {
                reasons.addProperty(mode.word(), firstLine(e));
            }
        }
        if (gpu != null) {
            result.addProperty("device", Gpu.name(spec.device()));
        }
        result.add("reasons", reasons);
        return result;
    }

    private static void tryOut(Mode mode, RoleSpec spec, Gpu gpu) {
        if (mode.isRing()) {
            try (Publisher publisher = Publisher.builder(spec.key() + "-" + mode.word())
                    .socketDirectory(Path.of(spec.directory()))
                    .transport(mode.transport())
                    .device(spec.device())
                    .size(64, 64)
                    .open()) {
                if (mode.isReadElsewhere()) {
                    readElsewhere(publisher.key(), spec);
                }
            }
        } else if (mode == Mode.STREAM_WAIT) {
            MemorySegment handle = Arena.global().allocate(LibCudart.CUDA_IPC_HANDLE_SIZE);
            long event = gpu.newEvent(LibCudart.cudaEventDisableTiming | LibCudart.cudaEventInterprocess);
            Gpu.check(LibCudart.cudaIpcGetEventHandle(handle, event), "cudaIpcGetEventHandle");
            Gpu.check(LibCudart.cudaIpcGetMemHandle(handle, gpu.allocate(1 << 20)), "cudaIpcGetMemHandle");
        }
    }

    private static void readElsewhere(String key, RoleSpec spec) {
        if (spec.readerDevice() < 0) {
            throw new IllegalStateException("no --reader-device was given");
        }
        Subscriber.builder(key)
                .socketDirectory(Path.of(spec.directory()))
                .device(spec.readerDevice())
                .open()
                .close();
    }

    /** What is to be said of an error in a line; where libraries were looked for would be many. */
    static String firstLine(Throwable error) {
        Throwable cause =
                error instanceof ExceptionInInitializerError && error.getCause() != null ? error.getCause() : error;
        String message = cause.getMessage();
        return message == null
                ? cause.toString()
                : message.lines().findFirst().orElse(cause.toString()).replace(". Tried:", "");
    }
}
