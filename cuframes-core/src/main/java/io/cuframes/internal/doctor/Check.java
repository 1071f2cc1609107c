// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

/** What the doctor looks at, in the order it does, the checks of a device for each: what comes later often needs what came before. */
public enum Check implements Probe {
    /** Memory that only its maker can write. */
    SEALED_MEMORY("sealed memory"),
    /** {@code /dev/shm}, where segments are. */
    SHARED_MEMORY("shared memory"),
    /** Where the sockets are, and who passes there. */
    SOCKET_DIRECTORY("socket directory"),
    /** Whether this process sees what others of the host see. */
    NAMESPACES("namespaces"),
    /** Linux under Windows. */
    WSL2("WSL2"),
    /** Frames from process to process in host memory. */
    HOST("frames over HOST"),
    /** {@code libcuda}. */
    DRIVER("NVIDIA driver"),
    /** {@code libcudart}. */
    RUNTIME("CUDA runtime"),
    /** A GPU that can be used. */
    DEVICE("GPU"),
    /** A part of a GPU. */
    MIG("MIG"),
    /** Words that a stream of the GPU writes to memory of the host. */
    STREAM_WRITES("stream memory operations"),
    /** Device memory that is shared by a descriptor. */
    VMM("memory by descriptor"),
    /** Device memory that a reader cannot write. */
    READ_ONLY("read-only mapping"),
    /** Frames from process to process by descriptor. */
    CUDA_VMM("frames over CUDA_VMM"),
    /** Frames from process to process by IPC handle. */
    CUDA_IPC("frames over CUDA_IPC"),
    /** Device memory read from another GPU, where there is more than one. */
    OTHER_DEVICE("another GPU's memory");

    private final String title;

    Check(String title) {
        this.title = title;
    }

    @Override
    public String title() {
        return title;
    }
}
