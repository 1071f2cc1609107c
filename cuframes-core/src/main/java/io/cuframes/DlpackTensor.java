// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import io.cuframes.ffm.Dlpack;
import io.cuframes.internal.dlpack.ExportedTensors;
import io.cuframes.internal.dlpack.ImportedTensor;
import io.cuframes.internal.dlpack.TensorSpec;
import io.cuframes.internal.os.NativeCalls;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToLongBiFunction;

/**
 * A tensor that is exchanged in place with another library of the same process by <a href="https://dmlc.github.io/dlpack/latest/">DLPack</a>: a
 * plane of a frame on its way to a consumer such as PyTorch, CuPy or NumPy, or the tensor of such a library on its way into a frame.
 *
 * <p><b>Out.</b> {@link #handOver(long)} makes the structure that a consumer takes; in Python it is put into a capsule named {@code
 * dltensor_versioned}. From then on the consumer owns it: the frame's lease lasts until the consumer calls the structure's deleter, on any thread
 * and however long after the frame and the subscriber were closed. A tensor that is closed instead ends its lease at once.
 *
 * <p><b>In.</b> {@link #wrap} takes over the structure of a producer, {@link WritableFrame#copyPlane(int, DlpackTensor, long)} publishes from it,
 * and {@link #close()} gives it back. It may also be handed over again.
 *
 * <p>A single-component plane is {@code [height, width]}, another {@code [height, width, components]}: NV12's chroma is {@code [height/2, width/2,
 * 2]}. Rows are padded, so a plane is seldom contiguous; its strides, in elements, say so.
 *
 * <p>Safe to use from any thread; each way out, hand-over or close, is taken once.
 */
public final class DlpackTensor implements AutoCloseable {
    /** Stream: the consumer has waited for its reads before it deletes the tensor. */
    public static final long NO_STREAM = -1;

    /** Stream: CUDA's legacy default stream. What Python means by {@code stream=None}. */
    public static final long LEGACY_STREAM = 1;

    /** Stream: CUDA's per-thread default stream. */
    public static final long PER_THREAD_STREAM = 2;

    private final TensorSpec spec;
    private final Lease lease;
    private final AtomicReference<State> state = new AtomicReference<>(State.OPEN);

    private enum State {
        OPEN,
        HANDED_OVER,
        CLOSED
    }

    private DlpackTensor(TensorSpec spec, Lease lease) {
        this.spec = spec;
        this.lease = lease;
    }

    /** A tensor of this library's memory, under a lease that is released once: by the consumer's deleter, or by a close before that. */
    static DlpackTensor export(TensorSpec spec, Lease lease) {
        return new DlpackTensor(spec, lease);
    }

    /**
     * Takes over the tensor of another library. From this call on it is this object's: if it is refused, it has been deleted. A Python capsule
     * must therefore be renamed to {@code used_dltensor_versioned} first.
     *
     * <p>The work that fills the tensor must be done, or queued on the stream that it will be copied on.
     *
     * @param versionedAddress of a {@code DLManagedTensorVersioned}; any other address may end the process
     * @return the tensor, to be closed
     * @throws CuframesException code INVALID_ARGUMENT if the address is 0 or the structure makes no sense, UNSUPPORTED if it is of another major
     *     version than 1, on a device or of a type that is not known here, or the JVM's flags deny native access (it is then not taken over)
     */
    public static DlpackTensor wrap(long versionedAddress) {
        NativeCalls.require();
        return wrap(ImportedTensor.ofVersioned(versionedAddress));
    }

    /**
     * Takes over the tensor of a library that speaks DLPack before 1.0, as {@link #wrap} does. The capsule's names are {@code dltensor} and {@code
     * used_dltensor}.
     *
     * @param address of a {@code DLManagedTensor}; any other address may end the process
     * @return the tensor, to be closed
     * @throws CuframesException as {@link #wrap}
     */
    public static DlpackTensor wrapUnversioned(long address) {
        NativeCalls.require();
        return wrap(ImportedTensor.ofUnversioned(address));
    }

    private static DlpackTensor wrap(ImportedTensor imported) {
        return new DlpackTensor(imported.spec(), stream -> imported.delete());
    }

    /**
     * Hands the tensor over to a consumer. A frame that a subscriber has is complete, so the consumer need not wait for anything.
     *
     * @param stream what Python passes to {@code __dlpack__}: the CUDA stream that the consumer reads on, in whose order the lease ends when the
     *     consumer deletes the tensor. A handle, which must live until then; {@link #LEGACY_STREAM}; {@link #PER_THREAD_STREAM}, that of any thread,
     *     all of which are then waited for; or {@link
     *     #NO_STREAM} if the lease may end as soon as the deleter is called. Ignored for host memory
     * @return the address of a {@code DLManagedTensorVersioned}, to be deleted by its deleter, once. For a subscriber's frame it says that the
     *     memory is read-only; in host memory it is: a write ends the process
     * @throws CuframesException code INVALID_ARGUMENT for stream 0, which may mean either default stream, or a negative one; SYSTEM if there is
     *     no memory. The tensor is then still open
     * @throws IllegalStateException if the tensor was handed over or closed
     */
    public long handOver(long stream) {
        return handOver(ExportedTensors::versioned, stream);
    }

    /**
     * Hands the tensor over to a consumer that speaks DLPack before 1.0, such as NumPy before 2.1, as {@link #handOver} does. This form cannot
     * say that memory is read-only: in host memory the consumer's write into a subscriber's frame ends the process, in device memory every
     * reader sees it.
     *
     * @param stream as for {@link #handOver}
     * @return the address of a {@code DLManagedTensor}, to be deleted by its deleter, once
     * @throws CuframesException as {@link #handOver}
     * @throws IllegalStateException if the tensor was handed over or closed
     */
    public long handOverUnversioned(long stream) {
        return handOver(ExportedTensors::unversioned, stream);
    }

    private long handOver(ToLongBiFunction<TensorSpec, Runnable> form, long stream) {
        long reads = releaseStream(stream);
        leave(State.HANDED_OVER);
        try {
            return form.applyAsLong(spec, () -> lease.release(reads));
        } catch (Throwable e) {
            state.set(State.OPEN);
            throw e;
        }
    }

    /** The stream a lease ends on. */
    private long releaseStream(long stream) {
        if (stream == 0 || stream < NO_STREAM) {
            throw new CuframesException(
                    ErrorCode.INVALID_ARGUMENT,
                    "a tensor cannot be handed over on stream " + stream + ": name the legacy default stream by "
                            + LEGACY_STREAM + ", the per-thread one by " + PER_THREAD_STREAM + ", no stream by "
                            + NO_STREAM
                            + ", another by its handle");
        }
        if (spec.device().isHost()) {
            return NO_STREAM;
        }
        // The deleter may run on another thread, whose default stream is another; the legacy one waits for those of all
        // threads.
        return stream == PER_THREAD_STREAM ? LEGACY_STREAM : stream;
    }

    private void leave(State way) {
        if (!state.compareAndSet(State.OPEN, way)) {
            throw ended();
        }
    }

    private IllegalStateException ended() {
        return new IllegalStateException(
                state.get() == State.CLOSED
                        ? "this tensor is closed"
                        : "this tensor was handed over, and is its consumer's");
    }

    /**
     * The size.
     *
     * @return elements in each dimension; a new array
     */
    public long[] shape() {
        return spec.shape();
    }

    /**
     * How the elements lie.
     *
     * @return elements, not bytes, from one to the next in each dimension; a new array
     */
    public long[] strides() {
        return spec.strides();
    }

    /**
     * The type of the elements.
     *
     * @return {@link TensorType#UINT8} or {@link TensorType#UINT16} for a plane
     */
    public TensorType type() {
        return spec.type();
    }

    /**
     * The kind of memory.
     *
     * @return of the host or of a GPU
     */
    public TensorDevice device() {
        return spec.device();
    }

    /**
     * The GPU.
     *
     * @return its ordinal as this process counts its devices; 0 for memory of the host
     */
    public int deviceOrdinal() {
        return spec.ordinal();
    }

    /**
     * Whether the memory must not be written.
     *
     * @return true for a subscriber's frame, and for what a producer says is read-only; false where a producer cannot say it
     */
    public boolean isReadOnly() {
        return spec.readOnly();
    }

    /**
     * Where the first element is.
     *
     * @return an address of the host or of the device, valid until the tensor is closed
     * @throws IllegalStateException if the tensor was handed over or closed
     */
    public long address() {
        if (state.get() != State.OPEN) {
            throw ended();
        }
        return spec.address();
    }

    /** Bytes from row to row, if the tensor can be copied into such a plane. */
    long sourcePitch(PixelFormat format, PlaneLayout plane) {
        return spec.sourcePitch(format, plane);
    }

    /** The first bytes of a tensor in host memory. */
    MemorySegment hostBytes(long length) {
        return Dlpack.memory(address(), length).asReadOnly();
    }

    /** Ends the lease, or gives the producer its tensor back. Does nothing once the tensor is handed over or closed. */
    @Override
    public void close() {
        if (state.compareAndSet(State.OPEN, State.CLOSED)) {
            lease.release(NO_STREAM);
        }
    }

    @Override
    public String toString() {
        return spec.toString();
    }
}
