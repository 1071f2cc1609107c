// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/**
 * The functions and constants of the C library and of Linux that cuframes uses, under their C names, for x86-64 and
 * aarch64.
 *
 * <p>Every function returns its result, 0 or more, or the negative errno: {@code -Errno.EAGAIN}. The errno is captured by
 * the call itself into memory that each thread has once and reuses, so no call allocates. What is called per frame
 * takes addresses; the caller keeps the memory behind them alive until the call returns. An interrupted call returns
 * {@code -Errno.EINTR}; nothing is retried here.
 */
@SuppressWarnings({"MemberName", "NamedLikeContextualKeyword"}) // C names
public final class Libc {
    private static final boolean AARCH64 = System.getProperty("os.arch").equals("aarch64");
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final long SYS_FUTEX = AARCH64 ? 98 : 202;

    /** Local sockets. */
    public static final int AF_UNIX = 1;

    /** A connected byte stream. */
    public static final int SOCK_STREAM = 1;

    /** Close on exec. */
    public static final int SOCK_CLOEXEC = 0x80000;

    /** Calls return {@link Errno#EAGAIN} rather than block. */
    public static final int SOCK_NONBLOCK = 0x800;

    /** Options and ancillary data of sockets as such. */
    public static final int SOL_SOCKET = 1;

    /** Option: who is at the other end, a {@link Ucred}. */
    public static final int SO_PEERCRED = 17;

    /** Option: the other end's supplementary groups, an array of {@code int}; {@link Errno#ERANGE} where they do not fit. */
    public static final int SO_PEERGROUPS = 59;

    /** Option: how long a receive may block, a {@link Timespec} with microseconds for nanoseconds. */
    public static final int SO_RCVTIMEO = 20;

    /** Option: how long a send may block, as {@link #SO_RCVTIMEO}. */
    public static final int SO_SNDTIMEO = 21;

    /** Option: bytes of the send buffer, an {@code int}. */
    public static final int SO_SNDBUF = 7;

    /** Option: the pending error, an {@code int}. */
    public static final int SO_ERROR = 4;

    /** Ancillary data: descriptors. */
    public static final int SCM_RIGHTS = 1;

    /** End receiving. */
    public static final int SHUT_RD = 0;

    /** End sending. */
    public static final int SHUT_WR = 1;

    /** End both. */
    public static final int SHUT_RDWR = 2;

    /** A closed peer is {@link Errno#EPIPE}, not a signal. */
    public static final int MSG_NOSIGNAL = 0x4000;

    /** Received descriptors close on exec. */
    public static final int MSG_CMSG_CLOEXEC = 0x40000000;

    /** Do not block. */
    public static final int MSG_DONTWAIT = 0x40;

    /** Ancillary data was cut off. */
    public static final int MSG_CTRUNC = 8;

    /** The message was cut off. */
    public static final int MSG_TRUNC = 0x20;

    /** Leave what is read in the queue. */
    public static final int MSG_PEEK = 2;

    /** There is something to read. */
    public static final int POLLIN = 1;

    /** Writing would not block. */
    public static final int POLLOUT = 4;

    /** An error is pending. */
    public static final int POLLERR = 8;

    /** The peer has hung up. */
    public static final int POLLHUP = 16;

    /** The descriptor is not open. */
    public static final int POLLNVAL = 32;

    /** The peer will send no more. */
    public static final int POLLRDHUP = 8192;

    /** Close on exec. */
    public static final int EFD_CLOEXEC = 524288;

    /** Calls return {@link Errno#EAGAIN} rather than block. */
    public static final int EFD_NONBLOCK = 2048;

    /** Each read takes 1 rather than all. */
    public static final int EFD_SEMAPHORE = 1;

    /** A rename fails where the new name is taken. */
    public static final int RENAME_NOREPLACE = 1;

    /** Open to read. */
    public static final int O_RDONLY = 0;

    /** Open to write. */
    public static final int O_WRONLY = 1;

    /** Open to read and write. */
    public static final int O_RDWR = 2;

    /** Create the file if missing. */
    public static final int O_CREAT = 0x40;

    /** Fail where the file exists. */
    public static final int O_EXCL = 0x80;

    /** Cut the file to nothing. */
    public static final int O_TRUNC = 0x200;

    /** Calls return {@link Errno#EAGAIN} rather than block. */
    public static final int O_NONBLOCK = 0x800;

    /** Close on exec. */
    public static final int O_CLOEXEC = 0x80000;

    /** Fail unless it is a directory. */
    public static final int O_DIRECTORY = AARCH64 ? 0x4000 : 0x10000;

    /** Fail where the last component is a symbolic link. */
    public static final int O_NOFOLLOW = AARCH64 ? 0x8000 : 0x20000;

    /** A terminal does not become that of this process. */
    public static final int O_NOCTTY = 0x100;

    /** Open neither to read nor to write: only to say which file is meant. */
    public static final int O_PATH = 0x200000;

    /** Create a file without a name in the directory given. */
    public static final int O_TMPFILE = 0x400000 | O_DIRECTORY;

    /** Relative to the working directory. */
    public static final int AT_FDCWD = -100;

    /** An empty path means the descriptor itself. */
    public static final int AT_EMPTY_PATH = 4096;

    /** Follow a symbolic link, as that of {@code /proc/self/fd}. */
    public static final int AT_SYMLINK_FOLLOW = 1024;

    /** Do not follow a symbolic link. */
    public static final int AT_SYMLINK_NOFOLLOW = 256;

    /** The bits of a mode that are the file's type. */
    public static final int S_IFMT = 0xF000;

    /** Type: a FIFO. */
    public static final int S_IFIFO = 0x1000;

    /** Type: a character device. */
    public static final int S_IFCHR = 0x2000;

    /** Type: a directory. */
    public static final int S_IFDIR = 0x4000;

    /** Type: a block device. */
    public static final int S_IFBLK = 0x6000;

    /** Type: a socket. */
    public static final int S_IFSOCK = 0xC000;

    /** The type of the file. */
    public static final int STATX_TYPE = 1;

    /** The permissions. */
    public static final int STATX_MODE = 2;

    /** The number of links. */
    public static final int STATX_NLINK = 4;

    /** The owner. */
    public static final int STATX_UID = 8;

    /** The group. */
    public static final int STATX_GID = 16;

    /** The inode number. */
    public static final int STATX_INO = 256;

    /** The length. */
    public static final int STATX_SIZE = 512;

    /** The time of the last change. */
    public static final int STATX_MTIME = 64;

    /** All that {@code stat} tells. */
    public static final int STATX_BASIC_STATS = 2047;

    /** Close on exec. */
    public static final int MFD_CLOEXEC = 1;

    /** Seals may be added. */
    public static final int MFD_ALLOW_SEALING = 2;

    /** Read the descriptor's flags. */
    public static final int F_GETFD = 1;

    /** Set the descriptor's flags. */
    public static final int F_SETFD = 2;

    /** Close on exec. */
    public static final int FD_CLOEXEC = 1;

    /** Read the open file's flags. */
    public static final int F_GETFL = 3;

    /** Set the open file's flags. */
    public static final int F_SETFL = 4;

    /** Duplicate the descriptor. */
    public static final int F_DUPFD_CLOEXEC = 1030;

    /** Add seals. */
    public static final int F_ADD_SEALS = 1033;

    /** Read the seals. */
    public static final int F_GET_SEALS = 1034;

    /** No further seals. */
    public static final int F_SEAL_SEAL = 1;

    /** The file cannot shrink. */
    public static final int F_SEAL_SHRINK = 2;

    /** The file cannot grow. */
    public static final int F_SEAL_GROW = 4;

    /** No writing at all; refused while a writable shared mapping exists. */
    public static final int F_SEAL_WRITE = 8;

    /** No writing but through mappings that exist already. */
    public static final int F_SEAL_FUTURE_WRITE = 16;

    /** Set or clear a lock of the open file description; does not block. */
    public static final int F_OFD_SETLK = 37;

    /** Ask which lock would stand in the way. */
    public static final int F_OFD_GETLK = 36;

    /** A shared lock. */
    public static final int F_RDLCK = 0;

    /** An exclusive lock; needs a writable descriptor. */
    public static final int F_WRLCK = 1;

    /** No lock. */
    public static final int F_UNLCK = 2;

    /** An exclusive lock. */
    public static final int LOCK_EX = 2;

    /** Do not block. */
    public static final int LOCK_NB = 4;

    /** Unlock. */
    public static final int LOCK_UN = 8;

    /** No access. */
    public static final int PROT_NONE = 0;

    /** Pages can be read. */
    public static final int PROT_READ = 1;

    /** Pages can be written. */
    public static final int PROT_WRITE = 2;

    /** Share changes with the other mappings. */
    public static final int MAP_SHARED = 1;

    /** Keep changes to this mapping. */
    public static final int MAP_PRIVATE = 2;

    /** No file. */
    public static final int MAP_ANONYMOUS = 32;

    /** Fault the pages in at once. */
    public static final int MAP_POPULATE = 32768;

    /** Wait while a word has a value. */
    public static final int FUTEX_WAIT = 0;

    /** Wake who waits on a word. */
    public static final int FUTEX_WAKE = 1;

    private Libc() {}

    // int socket(int domain, int type, int protocol)
    private static final class socket {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(socket.class, FUNC, ERRNO);
    }

    /**
     * Creates a socket.
     *
     * @param domain {@link #AF_UNIX}
     * @param type {@link #SOCK_STREAM}, or'ed with flags
     * @param protocol 0
     * @return the descriptor, or the negative errno
     */
    public static int socket(int domain, int type, int protocol) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) socket.MH.invokeExact(state, domain, type, protocol));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int bind(int fd, const struct sockaddr *addr, socklen_t len)
    private static final class bind {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(bind.class, FUNC, ERRNO);
    }

    /**
     * Gives a socket its address.
     *
     * @param fd the descriptor
     * @param address a {@link SockaddrUn}
     * @param length bytes
     * @return 0, or the negative errno
     */
    public static int bind(int fd, MemorySegment address, int length) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) bind.MH.invokeExact(state, fd, address, length));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int listen(int fd, int n)
    private static final class listen {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(listen.class, FUNC, ERRNO);
    }

    /**
     * Lets a socket take connections.
     *
     * @param fd the descriptor
     * @param backlog connections that may wait
     * @return 0, or the negative errno
     */
    public static int listen(int fd, int backlog) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) listen.MH.invokeExact(state, fd, backlog));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
    private static final class accept4 {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(accept4.class, FUNC, ERRNO);
    }

    /**
     * Takes a connection.
     *
     * @param fd the descriptor
     * @param address receives the peer's address; NULL for none
     * @param length in and out its bytes, an {@code int}; NULL for none
     * @param flags {@code SOCK} flags of the connection
     * @return the connection's descriptor, or the negative errno
     */
    public static int accept4(int fd, MemorySegment address, MemorySegment length, int flags) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) accept4.MH.invokeExact(state, fd, address, length, flags));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int connect(int fd, const struct sockaddr *addr, socklen_t len)
    private static final class connect {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(connect.class, FUNC, ERRNO);
    }

    /**
     * Connects a socket.
     *
     * @param fd the descriptor
     * @param address a {@link SockaddrUn}
     * @param length bytes
     * @return 0, or the negative errno
     */
    public static int connect(int fd, MemorySegment address, int length) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) connect.MH.invokeExact(state, fd, address, length));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
    private static final class sendmsg {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(sendmsg.class, FUNC, ERRNO);
    }

    /**
     * Sends a message.
     *
     * @param fd the descriptor
     * @param message a {@link Msghdr}
     * @param flags flags; 0 for none
     * @return bytes sent, or the negative errno
     */
    public static long sendmsg(int fd, MemorySegment message, int flags) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (long) sendmsg.MH.invokeExact(state, fd, message, flags));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // ssize_t recvmsg(int fd, struct msghdr *message, int flags)
    private static final class recvmsg {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(recvmsg.class, FUNC, ERRNO);
    }

    /**
     * Receives a message.
     *
     * @param fd the descriptor
     * @param message a {@link Msghdr}
     * @param flags flags; 0 for none
     * @return bytes received; 0 at the end, or the negative errno
     */
    public static long recvmsg(int fd, MemorySegment message, int flags) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (long) recvmsg.MH.invokeExact(state, fd, message, flags));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int getsockopt(int fd, int level, int optname, void *optval, socklen_t *optlen)
    private static final class getsockopt {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
        private static final MethodHandle MH = Binding.linkLibc(getsockopt.class, FUNC, ERRNO);
    }

    /**
     * Reads an option of a socket.
     *
     * @param fd the descriptor
     * @param level {@link #SOL_SOCKET}
     * @param option the option
     * @param value receives the value
     * @param length in and out its bytes, an {@code int}
     * @return 0, or the negative errno
     */
    public static int getsockopt(int fd, int level, int option, MemorySegment value, MemorySegment length) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) getsockopt.MH.invokeExact(state, fd, level, option, value, length));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int setsockopt(int fd, int level, int optname, const void *optval, socklen_t optlen)
    private static final class setsockopt {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(setsockopt.class, FUNC, ERRNO);
    }

    /**
     * Sets an option of a socket.
     *
     * @param fd the descriptor
     * @param level {@link #SOL_SOCKET}
     * @param option the option
     * @param value the value
     * @param length bytes
     * @return 0, or the negative errno
     */
    public static int setsockopt(int fd, int level, int option, MemorySegment value, int length) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) setsockopt.MH.invokeExact(state, fd, level, option, value, length));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int shutdown(int fd, int how)
    private static final class shutdown {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(shutdown.class, FUNC, ERRNO);
    }

    /**
     * Ends one or both directions of a connection; wakes whoever waits on it.
     *
     * @param fd the descriptor
     * @param how {@link #SHUT_RD}, {@link #SHUT_WR} or {@link #SHUT_RDWR}
     * @return 0, or the negative errno
     */
    public static int shutdown(int fd, int how) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) shutdown.MH.invokeExact(state, fd, how));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int close(int fd)
    private static final class close {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(close.class, FUNC, ERRNO);
    }

    /**
     * Closes a descriptor. It is closed even when an error is returned: never retry.
     *
     * @param fd the descriptor
     * @return 0, or the negative errno
     */
    public static int close(int fd) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) close.MH.invokeExact(state, fd));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int poll(struct pollfd *fds, nfds_t nfds, int timeout)
    private static final class poll {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(poll.class, FUNC, ERRNO);
    }

    /**
     * Waits for events on descriptors.
     *
     * @param fds address of the {@link Pollfd} array
     * @param nfds its elements
     * @param timeoutMillis milliseconds; negative waits forever
     * @return descriptors with events; 0 at the timeout, or the negative errno
     */
    public static int poll(long fds, long nfds, int timeoutMillis) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) poll.MH.invokeExact(state, fds, nfds, timeoutMillis));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int eventfd(unsigned int count, int flags)
    private static final class eventfd {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(eventfd.class, FUNC, ERRNO);
    }

    /**
     * Creates an event counter.
     *
     * @param initial the counter
     * @param flags flags; 0 for none
     * @return the descriptor, or the negative errno
     */
    public static int eventfd(int initial, int flags) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) eventfd.MH.invokeExact(state, initial, flags));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // ssize_t read(int fd, void *buf, size_t nbytes)
    private static final class read {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = Binding.linkLibc(read.class, FUNC, ERRNO);
    }

    /**
     * Reads from a descriptor.
     *
     * @param fd the descriptor
     * @param buffer address of the bytes
     * @param count bytes
     * @return bytes read; 0 at the end, or the negative errno
     */
    public static long read(int fd, long buffer, long count) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (long) read.MH.invokeExact(state, fd, buffer, count));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // ssize_t write(int fd, const void *buf, size_t n)
    private static final class write {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = Binding.linkLibc(write.class, FUNC, ERRNO);
    }

    /**
     * Writes to a descriptor.
     *
     * @param fd the descriptor
     * @param buffer address of the bytes
     * @param count bytes
     * @return bytes written, or the negative errno
     */
    public static long write(int fd, long buffer, long count) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (long) write.MH.invokeExact(state, fd, buffer, count));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int open(const char *file, int oflag, ... /* mode_t mode */)
    private static final class open {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH =
                Binding.linkLibc(open.class, FUNC, ERRNO, Linker.Option.firstVariadicArg(2));
    }

    /**
     * Opens or creates a file.
     *
     * @param path the path, a C string
     * @param flags flags; 0 for none
     * @param mode permissions of a file that is created
     * @return the descriptor, or the negative errno
     */
    public static int open(MemorySegment path, int flags, int mode) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) open.MH.invokeExact(state, path, flags, mode));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int linkat(int fromfd, const char *from, int tofd, const char *to, int flags)
    private static final class linkat {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(linkat.class, FUNC, ERRNO);
    }

    /**
     * Gives a file a further name, or its first.
     *
     * @param fromDirectory what {@code from} is relative to, such as {@link #AT_FDCWD}
     * @param from the existing name, a C string
     * @param toDirectory what {@code to} is relative to
     * @param to the new name, a C string
     * @param flags flags; 0 for none
     * @return 0, or the negative errno
     */
    public static int linkat(int fromDirectory, MemorySegment from, int toDirectory, MemorySegment to, int flags) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(
                    state, (int) linkat.MH.invokeExact(state, fromDirectory, from, toDirectory, to, flags));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int unlink(const char *name)
    private static final class unlink {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS);
        private static final MethodHandle MH = Binding.linkLibc(unlink.class, FUNC, ERRNO);
    }

    /**
     * Removes a name.
     *
     * @param path the path, a C string
     * @return 0, or the negative errno
     */
    public static int unlink(MemorySegment path) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) unlink.MH.invokeExact(state, path));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int fchmod(int fd, mode_t mode)
    private static final class fchmod {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(fchmod.class, FUNC, ERRNO);
    }

    /**
     * Sets the permissions of an open file, whatever the umask.
     *
     * @param fd the descriptor
     * @param mode the permissions
     * @return 0, or the negative errno
     */
    public static int fchmod(int fd, int mode) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) fchmod.MH.invokeExact(state, fd, mode));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int fchownat(int dirfd, const char *path, uid_t owner, gid_t group, int flags)
    private static final class fchownat {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(fchownat.class, FUNC, ERRNO);
    }

    /**
     * Sets who a file belongs to.
     *
     * @param directory what {@code path} is relative to, such as {@link #AT_FDCWD}; with {@link #AT_EMPTY_PATH} the file itself
     * @param path the path, a C string
     * @param owner the user id, or -1 to leave it
     * @param group the group id, or -1 to leave it
     * @param flags {@code AT} bits; 0 for none
     * @return 0, or the negative errno
     */
    public static int fchownat(int directory, MemorySegment path, int owner, int group, int flags) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) fchownat.MH.invokeExact(state, directory, path, owner, group, flags));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned int flags)
    private static final class renameat2 {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(renameat2.class, FUNC, ERRNO);
    }

    /**
     * Gives a file another name.
     *
     * @param oldDirectory what {@code oldPath} is relative to, such as {@link #AT_FDCWD}
     * @param oldPath the name, a C string
     * @param newDirectory what {@code newPath} is relative to
     * @param newPath the new name, a C string; what has it is replaced
     * @param flags {@link #RENAME_NOREPLACE}, or 0
     * @return 0, or the negative errno
     */
    public static int renameat2(
            int oldDirectory, MemorySegment oldPath, int newDirectory, MemorySegment newPath, int flags) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(
                    state, (int) renameat2.MH.invokeExact(state, oldDirectory, oldPath, newDirectory, newPath, flags));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int ftruncate(int fd, off_t length)
    private static final class ftruncate {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = Binding.linkLibc(ftruncate.class, FUNC, ERRNO);
    }

    /**
     * Sets a file's length.
     *
     * @param fd the descriptor
     * @param length bytes
     * @return 0, or the negative errno
     */
    public static int ftruncate(int fd, long length) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) ftruncate.MH.invokeExact(state, fd, length));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int fallocate(int fd, int mode, off_t offset, off_t len)
    private static final class fallocate {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = Binding.linkLibc(fallocate.class, FUNC, ERRNO);
    }

    /**
     * Makes sure that a file's bytes have storage, so that a write through a mapping cannot die of a full file
     * system.
     *
     * @param fd the descriptor
     * @param mode 0
     * @param offset first byte
     * @param length bytes
     * @return 0, or the negative errno
     */
    public static int fallocate(int fd, int mode, long offset, long length) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) fallocate.MH.invokeExact(state, fd, mode, offset, length));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int statx(int dirfd, const char *path, int flags, unsigned int mask, struct statx *buf)
    private static final class statx {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
        private static final MethodHandle MH = Binding.linkLibc(statx.class, FUNC, ERRNO);
    }

    /**
     * Reads a file's attributes into a {@link Statx}.
     *
     * @param directory what {@code path} is relative to, such as {@link #AT_FDCWD}
     * @param path the path, a C string
     * @param flags flags; 0 for none
     * @param mask {@code STATX} bits asked for
     * @param result a {@link Statx}
     * @return 0, or the negative errno
     */
    public static int statx(int directory, MemorySegment path, int flags, int mask, MemorySegment result) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) statx.MH.invokeExact(state, directory, path, flags, mask, result));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int flock(int fd, int operation)
    private static final class flock {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(flock.class, FUNC, ERRNO);
    }

    /**
     * Applies or removes a lock on a whole open file.
     *
     * @param fd the descriptor
     * @param operation {@link #LOCK_EX} or {@link #LOCK_UN}, or'ed with {@link #LOCK_NB}
     * @return 0, or the negative errno
     */
    public static int flock(int fd, int operation) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) flock.MH.invokeExact(state, fd, operation));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int memfd_create(const char *name, unsigned int flags)
    private static final class memfd_create {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(memfd_create.class, FUNC, ERRNO);
    }

    /**
     * Creates an anonymous file in memory.
     *
     * @param name a name for people, a C string
     * @param flags flags; 0 for none
     * @return the descriptor, or the negative errno
     */
    public static int memfd_create(MemorySegment name, int flags) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) memfd_create.MH.invokeExact(state, name, flags));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
    private static final class mmap {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH = Binding.linkLibc(mmap.class, FUNC, ERRNO);
    }

    /**
     * Maps a file. {@link MappedMemory} makes a segment of it.
     *
     * @param address where, or 0
     * @param length bytes
     * @param protection {@code PROT} bits
     * @param flags flags; 0 for none
     * @param fd the descriptor, or -1 for anonymous memory
     * @param offset first byte
     * @return the address, or the negative errno
     */
    public static long mmap(long address, long length, int protection, int flags, int fd, long offset) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(
                    state, (long) mmap.MH.invokeExact(state, address, length, protection, flags, fd, offset));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int munmap(void *addr, size_t len)
    private static final class munmap {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = Binding.linkLibc(munmap.class, FUNC, ERRNO);
    }

    /**
     * Unmaps a range.
     *
     * @param address the address
     * @param length bytes
     * @return 0, or the negative errno
     */
    public static int munmap(long address, long length) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) munmap.MH.invokeExact(state, address, length));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // void *malloc(size_t size)
    private static final class malloc {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG);
        private static final MethodHandle MH = Binding.linkLibc(malloc.class, FUNC);
    }

    /**
     * Allocates memory that any thread may free, its bytes undefined: for what is handed to other libraries, since no arena that
     * any thread can close is as cheap.
     *
     * @param size bytes
     * @return the address, aligned to 16, or 0 where there is no memory
     */
    public static long malloc(long size) {
        try {
            return (long) malloc.MH.invokeExact(size);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // void free(void *ptr)
    private static final class free {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.ofVoid(JAVA_LONG);
        private static final MethodHandle MH = Binding.linkLibc(free.class, FUNC);
    }

    /**
     * Frees what {@link #malloc} gave.
     *
     * @param address the address
     */
    public static void free(long address) {
        try {
            free.MH.invokeExact(address);
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int kill(pid_t pid, int sig)
    private static final class kill {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(kill.class, FUNC, ERRNO);
    }

    /**
     * Sends a signal; signal 0 only asks whether the process is there.
     *
     * @param pid the process
     * @param signal the signal
     * @return 0, or the negative errno
     */
    public static int kill(int pid, int signal) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) kill.MH.invokeExact(state, pid, signal));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // int fcntl(int fd, int cmd, ... /* arg */)
    private static final class fcntl {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
        private static final FunctionDescriptor POINTER_FUNC =
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
        private static final Linker.Option VARIADIC = Linker.Option.firstVariadicArg(2);
        private static final MethodHandle MH = Binding.linkLibc(fcntl.class, FUNC, ERRNO, VARIADIC);
        private static final MethodHandle POINTER_MH = Binding.linkLibc(fcntl.class, POINTER_FUNC, ERRNO, VARIADIC);
    }

    /**
     * Works on a descriptor, by a command that takes a number or nothing.
     *
     * @param fd the descriptor
     * @param command an {@code F} constant
     * @param argument its argument
     * @return the command's result, or the negative errno
     */
    public static int fcntl(int fd, int command, int argument) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) fcntl.MH.invokeExact(state, fd, command, argument));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    /**
     * Works on a descriptor, by a command that takes a structure.
     *
     * @param fd the descriptor
     * @param command an {@code F} constant
     * @param argument a {@link Flock}
     * @return the command's result, or the negative errno
     */
    public static int fcntl(int fd, int command, MemorySegment argument) {
        MemorySegment state = CallState.current();
        try {
            return CallState.result(state, (int) fcntl.POINTER_MH.invokeExact(state, fd, command, argument));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // long syscall(long number, ...), as
    // long futex(uint32_t *uaddr, int op, uint32_t val, const struct timespec *timeout, uint32_t *uaddr2, uint32_t
    // val3)
    private static final class syscall {
        private static final FunctionDescriptor FUNC =
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG);
        private static final MethodHandle MH =
                Binding.linkLibc(syscall.class, FUNC, ERRNO, Linker.Option.firstVariadicArg(1));
    }

    /**
     * Blocks while a word in memory has a value, until {@link #futexWake} or the timeout. Works between processes and on
     * a read-only mapping; may return without reason, so look at the word again.
     *
     * @param address address of the word, an {@code int} aligned to 4
     * @param expected the value to wait on
     * @param timeoutNanos how long to wait, nanoseconds, at least 0
     * @return 0 when woken, {@code -Errno.EAGAIN} where the word has another value, {@code -Errno.ETIMEDOUT} at the
     *     timeout, or another negative errno
     */
    public static int futexWait(long address, int expected, long timeoutNanos) {
        MemorySegment state = CallState.current();
        state.set(JAVA_LONG, CallState.TIMESPEC_OFFSET + Timespec.TV_SEC_OFFSET, timeoutNanos / 1_000_000_000L);
        state.set(JAVA_LONG, CallState.TIMESPEC_OFFSET + Timespec.TV_NSEC_OFFSET, timeoutNanos % 1_000_000_000L);
        return futex(state, address, FUTEX_WAIT, expected, state.address() + CallState.TIMESPEC_OFFSET);
    }

    /**
     * Wakes threads, of any process, that wait on a word in shared memory.
     *
     * @param address address of the word
     * @param count how many to wake at most
     * @return how many were woken, or the negative errno
     */
    public static int futexWake(long address, int count) {
        return futex(CallState.current(), address, FUTEX_WAKE, count, 0L);
    }

    private static int futex(MemorySegment state, long address, int operation, int value, long timeout) {
        try {
            return (int) CallState.result(
                    state, (long) syscall.MH.invokeExact(state, SYS_FUTEX, address, operation, value, timeout));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // uid_t geteuid(void)
    private static final class geteuid {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(geteuid.class, FUNC);
    }

    /**
     * The effective user id of this process.
     *
     * @return the id
     */
    public static int geteuid() {
        try {
            return (int) geteuid.MH.invokeExact();
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // gid_t getegid(void)
    private static final class getegid {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(getegid.class, FUNC);
    }

    /**
     * The effective group id of this process.
     *
     * @return the id
     */
    public static int getegid() {
        try {
            return (int) getegid.MH.invokeExact();
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // pid_t getpid(void)
    private static final class getpid {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(JAVA_INT);
        private static final MethodHandle MH = Binding.linkLibc(getpid.class, FUNC);
    }

    /**
     * The id of this process in its pid namespace.
     *
     * @return the id
     */
    public static int getpid() {
        try {
            return (int) getpid.MH.invokeExact();
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    // char *strerror_r(int errnum, char *buf, size_t buflen), the GNU one
    private static final class strerror_r {
        private static final FunctionDescriptor FUNC = FunctionDescriptor.of(ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG);
        private static final MethodHandle MH = Binding.linkLibc(strerror_r.class, FUNC);
    }

    static String strerror_r(int errno) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(128);
            return Binding.string((MemorySegment) strerror_r.MH.invokeExact(errno, buffer, buffer.byteSize()));
        } catch (Throwable t) {
            throw Binding.unexpected(t);
        }
    }

    /**
     * What one thread's calls need besides their arguments: the errno, then a {@link Timespec}. Its class is one of the JDK, so
     * that a thread that outlives this library's class loader, as those of an application server do, does not keep it.
     */
    private static final class CallState {
        private static final StructLayout LAYOUT = Linker.Option.captureStateLayout();
        private static final long ERRNO_OFFSET = LAYOUT.byteOffset(PathElement.groupElement("errno"));
        private static final long TIMESPEC_OFFSET = (LAYOUT.byteSize() + Long.BYTES - 1) & -Long.BYTES;
        private static final long LENGTH = TIMESPEC_OFFSET + Timespec.LAYOUT.byteSize();

        // Freed with the thread: the arena is automatic.
        private static final ThreadLocal<MemorySegment> CURRENT =
                ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(LENGTH, Long.BYTES));

        private CallState() {}

        static MemorySegment current() {
            return CURRENT.get();
        }

        static int result(MemorySegment state, int returned) {
            return (int) result(state, (long) returned);
        }

        static long result(MemorySegment state, long returned) {
            return returned == -1 ? -state.get(JAVA_INT, ERRNO_OFFSET) : returned;
        }
    }
}
