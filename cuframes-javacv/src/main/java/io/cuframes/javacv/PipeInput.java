// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.bytedeco.ffmpeg.global.avformat.avio_alloc_context;
import static org.bytedeco.ffmpeg.global.avformat.avio_context_free;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EXIT;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EXTERNAL;
import static org.bytedeco.ffmpeg.global.avutil.av_free;
import static org.bytedeco.ffmpeg.global.avutil.av_malloc;

import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.ffm.Pollfd;
import io.cuframes.ffm.SockaddrUn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.Read_packet_Pointer_BytePointer_int;
import org.bytedeco.ffmpeg.avformat.Seek_Pointer_long_int;
import org.bytedeco.ffmpeg.avformat.Write_packet_Pointer_BytePointer_int;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * A local input that is no regular file, such as a FIFO, read for FFmpeg. FFmpeg's own protocols wait for a writer in open(2) and for data in read(2),
 * where nothing ends them; here both wait in poll(2), and an {@link InterruptGate} is asked between.
 *
 * <p>One callback serves all inputs and finds them by a number in its opaque pointer, as that of {@link InterruptGate} does, and for the same reason.
 * Not thread-safe: who reads closes, after FFmpeg's context.
 */
final class PipeInput implements AutoCloseable {
    private static final ConcurrentMap<Long, PipeInput> INPUTS = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();

    /** How often the gate is asked: nothing wakes a poll. */
    private static final int POLL_MILLIS = 50;

    /** Between attempts where poll and read do not agree, as some devices' do. */
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private static final int BUFFER_BYTES = 32_768;

    /** Names of this process's own descriptors. */
    private static final Pattern DESCRIPTOR =
            Pattern.compile("/(?:proc/(?:self|thread-self)|dev)/fd/([0-9]{1,9})|/dev/(stdin)");

    private static final class Callback extends Read_packet_Pointer_BytePointer_int {
        static final Callback INSTANCE = new Callback();

        /** Nothing that is thrown may leave this: there is only native code to catch it. */
        @Override
        public int call(Pointer opaque, BytePointer buffer, int size) {
            PipeInput input = opaque == null ? null : INPUTS.get(opaque.address());
            if (input == null) {
                return AVERROR_EXTERNAL;
            }
            try {
                return input.read(buffer.address(), size);
            } catch (Throwable e) {
                input.failure = e;
                return AVERROR_EXTERNAL;
            }
        }
    }

    private final long number = NUMBERS.incrementAndGet();
    private final InterruptGate gate;
    private final int fd;

    /** Native memory, kept as long as this is registered. */
    private final MemorySegment poll = Arena.ofAuto().allocate(Pollfd.LAYOUT);

    private final AVIOContext context;
    private Throwable failure;

    /**
     * Opens an input. It need not have a writer yet.
     *
     * @throws io.cuframes.CuframesException if it cannot be opened
     */
    static PipeInput open(SourceOptions options, InterruptGate gate) {
        int fd = openDescriptor(options.url().path(), gate);
        if (fd < 0) {
            throw OpenError.of(options.url(), fd, gate.expired(), Patience.answer(options), options.listen());
        }
        try {
            return new PipeInput(fd, gate);
        } catch (RuntimeException | Error e) {
            Libc.close(fd);
            throw e;
        }
    }

    private PipeInput(int fd, InterruptGate gate) {
        this.fd = fd;
        this.gate = gate;
        BytePointer buffer = new BytePointer(Ffmpeg.allocated(av_malloc(BUFFER_BYTES), "a buffer"));
        AVIOContext made = avio_alloc_context(
                buffer,
                BUFFER_BYTES,
                0,
                new NativeAddress().at(number),
                Callback.INSTANCE,
                (Write_packet_Pointer_BytePointer_int) null,
                (Seek_Pointer_long_int) null);
        if (made == null || made.isNull()) {
            av_free(buffer);
        }
        this.context = Ffmpeg.allocated(made, "an input's buffer");
        poll.set(JAVA_INT, Pollfd.FD_OFFSET, fd);
        poll.set(JAVA_SHORT, Pollfd.EVENTS_OFFSET, (short) Libc.POLLIN);
        INPUTS.put(number, this);
    }

    /** The descriptor, or a negative errno. */
    private static int openDescriptor(LocalPath path, InterruptGate gate) {
        Matcher own = DESCRIPTOR.matcher(path.toString());
        if (own.matches()) {
            // Not opened once more: who comes to a FIFO after its last writer does not see its end. Nor is it made
            // non-blocking, which other
            // processes that have it would notice; reading what poll has seen does not block, as long as nobody else
            // reads the same.
            int number = own.group(1) == null ? 0 : Integer.parseInt(own.group(1));
            int copy = Libc.fcntl(number, Libc.F_DUPFD_CLOEXEC, 0);
            return copy == -Errno.EBADF ? -Errno.ENOENT : copy;
        }
        try (Arena arena = Arena.ofConfined()) {
            return path.type() == LocalPath.Type.SOCKET
                    ? connect(path.bytes(), arena, gate)
                    : Libc.open(
                            path.toNative(arena), Libc.O_RDONLY | Libc.O_NONBLOCK | Libc.O_CLOEXEC | Libc.O_NOCTTY, 0);
        }
    }

    private static int connect(byte[] path, Arena arena, InterruptGate gate) {
        if (path.length >= SockaddrUn.LENGTH - SockaddrUn.SUN_PATH_OFFSET) {
            return -Errno.EINVAL; // a socket of such a name can be made and not be reached
        }
        MemorySegment address = arena.allocate(SockaddrUn.LAYOUT);
        address.set(JAVA_SHORT, SockaddrUn.SUN_FAMILY_OFFSET, (short) Libc.AF_UNIX);
        MemorySegment.copy(path, 0, address, JAVA_BYTE, SockaddrUn.SUN_PATH_OFFSET, path.length);
        int socket = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (socket < 0) {
            return socket;
        }
        int result = Libc.connect(socket, address, (int) SockaddrUn.LENGTH);
        while (result == -Errno.EAGAIN || result == -Errno.EINTR) { // too many wait there already
            result = !gate.expired() && gate.sleep(RETRY_NANOS)
                    ? Libc.connect(socket, address, (int) SockaddrUn.LENGTH)
                    : AVERROR_EXIT;
        }
        if (result < 0) {
            Libc.close(socket);
            return result;
        }
        return socket;
    }

    /** What FFmpeg reads from. */
    AVIOContext context() {
        return context;
    }

    /** Waits for data, or the end, and reads. Bytes, or one of FFmpeg's errors, which for the system's are negative errnos. */
    private int read(long buffer, int size) {
        while (!gate.stopped() && !gate.expired()) {
            int ready = Libc.poll(poll.address(), 1, POLL_MILLIS);
            if (ready < 0 && ready != -Errno.EINTR) {
                return ready;
            }
            if (ready <= 0) {
                continue; // a FIFO without a writer is not over: it has had none yet
            }
            long count = Libc.read(fd, buffer, size);
            if (count != -Errno.EAGAIN && count != -Errno.EINTR) {
                return count == 0 ? AVERROR_EOF : (int) count;
            }
            gate.sleep(RETRY_NANOS);
        }
        return AVERROR_EXIT;
    }

    /** Throws what went wrong in the callback, and was no error of the input. */
    void throwFailure() {
        if (failure instanceof Error error) {
            throw error;
        } else if (failure instanceof RuntimeException exception) {
            throw exception;
        } else if (failure != null) {
            throw new IllegalStateException("reading failed unexpectedly", failure);
        }
    }

    @Override
    public void close() {
        INPUTS.remove(number);
        Steps.runAll(
                () -> {
                    av_free(context.buffer()); // FFmpeg may have replaced it
                    avio_context_free(context);
                },
                () -> Libc.close(fd));
    }

    /** How many are registered; for tests. */
    static int count() {
        return INPUTS.size();
    }
}
