// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import io.cuframes.Transport;
import java.util.Locale;

/** A way for a frame to get from where it is written to where it is used. */
public enum Mode {
    /** One process, two threads, one word between them: the least that {@link #HOST} can take. */
    HOST_FLOOR(false, null, "one process, two threads"),
    /** A ring in host memory. */
    HOST(false, Transport.HOST, "ring in host memory"),
    /** One process, two streams, one event between them: the least that a GPU ring can take. */
    FLOOR(true, null, "one process, two streams"),
    /** The same, but the host sees a word that the GPU wrote behind the first stream's work, and only then queues the second's: the least for a reader that is told. */
    FLOOR_BY_HOST(true, null, "one process, the host in between"),
    /** A ring in device memory, shared by a descriptor. */
    CUDA_VMM(true, Transport.CUDA_VMM, "ring in device memory"),
    /** The same, read on another device than the one that holds it. */
    CUDA_VMM_OTHER(true, Transport.CUDA_VMM, "ring in device memory, read on another device"),
    /** A ring in device memory, shared by handles. */
    CUDA_IPC(true, Transport.CUDA_IPC, "ring in device memory, by handles"),
    /** The classic way: the reader's stream waits for a CUDA IPC event. */
    STREAM_WAIT(true, null, "the reader's stream waits for an IPC event"),
    /** Device to host, shared memory, host to device. */
    HOST_COPY(true, null, "through pageable shared memory"),
    /** The same, with the shared memory registered with CUDA in both processes. */
    HOST_COPY_PINNED(true, null, "through registered shared memory");

    private final boolean gpu;
    private final Transport transport;
    private final String words;

    Mode(boolean gpu, Transport transport, String words) {
        this.gpu = gpu;
        this.transport = transport;
        this.words = words;
    }

    /** {@return its name on the command line} */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@return what it is, in a few words} */
    public String words() {
        return words;
    }

    /** {@return whether it needs a CUDA device} */
    public boolean needsGpu() {
        return gpu;
    }

    /** {@return whether it is a ring of this library, which can have several streams and subscribers and ways of waiting} */
    public boolean isRing() {
        return transport != null;
    }

    /** {@return whether writer and reader are one process} */
    boolean isOneProcess() {
        return this == HOST_FLOOR || this == FLOOR || this == FLOOR_BY_HOST;
    }

    /** {@return whether the readers' device is another than the ring's} */
    public boolean isReadElsewhere() {
        return this == CUDA_VMM_OTHER;
    }

    Transport transport() {
        return transport;
    }

    /** What its latencies are divided by. */
    Mode floor() {
        return gpu ? FLOOR : HOST_FLOOR;
    }
}
