// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import io.cuframes.CuframesException;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.connect.Access;
import io.cuframes.internal.connect.SocketDirectory;
import io.cuframes.internal.memory.HostRing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.protocol.SegmentDescriptor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What cuframes needs of the operating system, whatever the transport. */
final class HostChecks {
    private static final long SEGMENT_BYTES = SegmentDescriptor.length(SegmentDescriptor.MAX_SLOTS);

    /** A container's /dev/shm has 64 MiB, unless it is told otherwise: room for two thousand streams. With less than this there is something wrong. */
    private static final long LITTLE_SHARED_MEMORY = 64 * SEGMENT_BYTES;

    private final Path sharedMemory;
    private final Machine machine;

    HostChecks(Path sharedMemory, Machine machine) {
        this.sharedMemory = sharedMemory;
        this.machine = machine;
    }

    /** Makes a ring as HOST does, and tries to map it for writing once more. */
    Finding sealedMemory() {
        long length = SegmentDescriptor.MIN_SLOTS * SegmentDescriptor.PAGE;
        String kernel = "Linux " + machine.kernel();
        try (HostRing ring = new HostRing("doctor", SegmentDescriptor.MIN_SLOTS, SegmentDescriptor.PAGE)) {
            if (canBeWritten(ring.descriptor(), length)) {
                return Finding.fails(
                        Check.SEALED_MEMORY,
                        "",
                        kernel + " lets a memfd be mapped for writing that is sealed against it",
                        "use Linux 5.1 or newer, not under an emulation of it: readers could write what they read");
            }
            return Finding.works(
                    Check.SEALED_MEMORY, "", kernel + "; a memfd is sealed, and what maps it again cannot write");
        } catch (CuframesException e) {
            return Finding.fails(
                    Check.SEALED_MEMORY,
                    "",
                    kernel + ": " + e.getMessage(),
                    "use Linux 5.1 or newer, with /proc mounted, and let this process use memfd_create");
        }
    }

    private static boolean canBeWritten(Descriptor memfd, long length) {
        try (Arena arena = Arena.ofConfined()) {
            Posix.map(memfd, length, true, arena, "a sealed memfd");
            return true;
        } catch (CuframesException e) {
            return false;
        }
    }

    /** Makes the largest segment there is, without a name. */
    Finding sharedMemory() {
        String remedy =
                "mount a tmpfs there that this user can write to; in a container, --shm-size=64m or a tmpfs volume at "
                        + sharedMemory;
        try (Descriptor file = Posix.open(sharedMemory, Libc.O_TMPFILE | Libc.O_RDWR, 0600)) {
            Posix.reserve(file, SEGMENT_BYTES, "a segment in " + sharedMemory);
            if (!Posix.tryLock(file, "a segment in " + sharedMemory)) {
                return Finding.fails(
                        Check.SHARED_MEMORY, sharedMemory.toString(), "a file of nobody else's is locked", remedy);
            }
            Posix.reopenReadOnly(file).close();
            return room(Files.getFileStore(sharedMemory), remedy);
        } catch (CuframesException | IOException e) {
            return Finding.fails(Check.SHARED_MEMORY, sharedMemory.toString(), e.getMessage(), remedy);
        }
    }

    private Finding room(FileStore store, String remedy) throws IOException {
        long free = store.getUsableSpace();
        String found = mebibytes(free) + " free of " + mebibytes(store.getTotalSpace()) + ", a segment takes at most "
                + (SEGMENT_BYTES >> 10) + " KiB";
        if (!store.type().equals("tmpfs")) {
            return Finding.fails(
                    Check.SHARED_MEMORY, sharedMemory.toString(), "is " + store.type() + " and no tmpfs", remedy);
        }
        return free < LITTLE_SHARED_MEMORY
                ? Finding.note(Check.SHARED_MEMORY, sharedMemory.toString(), found, "free space there, or " + remedy)
                : Finding.works(Check.SHARED_MEMORY, sharedMemory.toString(), found);
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }

    /** Looks where a publisher of this user would put its socket, and puts one there. */
    Finding socketDirectory(Path option) {
        Access access = Access.of(null, null);
        String remedy =
                "make one that this user can write to (sudo install -d -o $(id -u) -g $(id -g) -m 0710 /run/cuframes),"
                        + " or name one with --socket-dir or " + SocketDirectory.VARIABLE;
        try {
            SocketDirectory.Rehearsal rehearsal = SocketDirectory.rehearse(option, access);
            Path directory = rehearsal.directory();
            FileStatus status = Posix.status(directory);
            if (!rehearsal.passedOver().isEmpty()) {
                return passedOver(rehearsal, status);
            }
            if (status == null) {
                return Finding.works(
                        Check.SOCKET_DIRECTORY, directory.toString(), "is not there, and a publisher can make it");
            }
            String found = "mode " + Integer.toOctalString(status.permissions()) + ", user " + status.owner()
                    + ", group " + status.group() + "; a socket can be made there";
            String hindrance = access.hindrance(status);
            return hindrance == null
                    ? Finding.works(Check.SOCKET_DIRECTORY, directory.toString(), found)
                    : Finding.note(
                            Check.SOCKET_DIRECTORY,
                            directory.toString(),
                            found + "; members of group " + Libc.getegid() + ", whom a publisher admits, cannot pass",
                            "if other users are to read: chgrp " + Libc.getegid() + " " + directory + " && chmod 0710 "
                                    + directory);
        } catch (CuframesException e) {
            String where = option == null ? "" : option.toString();
            return Finding.fails(Check.SOCKET_DIRECTORY, where, e.getMessage(), remedy);
        }
    }

    /** A publisher of this user would do, and readers of other users would not find it. */
    private static Finding passedOver(SocketDirectory.Rehearsal rehearsal, FileStatus status) {
        return Finding.note(
                Check.SOCKET_DIRECTORY,
                rehearsal.directory().toString(),
                (status == null ? "is not there, and a publisher can make it" : "a socket can be made there")
                        + "; better places are passed over: " + String.join("; ", rehearsal.passedOver()),
                "if other users are to find it: install -d -o " + Libc.geteuid() + " -g " + Libc.getegid()
                        + " -m 0710 /run/cuframes, a RuntimeDirectory=cuframes, or one directory for all by "
                        + SocketDirectory.VARIABLE);
    }

    /**
     * Looks what this process does not share with the host.
     *
     * @param directory of the sockets, or null if there is none
     */
    Finding namespaces(Path directory) {
        if (machine.hasOwnUsers()) {
            return Finding.note(
                    Check.NAMESPACES,
                    "",
                    machine.describeNamespaces() + ": users whom it does not know look like user 65534",
                    "run publishers and subscribers in one user namespace, or as users that both know");
        }
        if (machine.isContained() && directory != null && !machine.isMounted(directory)) {
            return Finding.note(
                    Check.NAMESPACES,
                    "",
                    machine.describeNamespaces() + ", and " + directory + " is of this container alone",
                    "to share frames with others, mount one socket directory into all: -v /run/cuframes:/run/cuframes");
        }
        return Finding.works(Check.NAMESPACES, "", machine.describeNamespaces());
    }

    /** Looks whether this is Linux under Windows. */
    Finding wsl() {
        return machine.isWsl()
                ? Finding.note(
                        Check.WSL2,
                        "",
                        "Linux " + machine.kernel() + " under Windows",
                        "CUDA shares no memory by IPC handles there, and by descriptors only if the checks of the GPU below say so: HOST works")
                : Finding.works(Check.WSL2, "", "no Windows beneath");
    }
}
