// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Libc;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A mapping of this process, as the kernel lists it (proc_pid_maps(5)).
 *
 * @param start first address
 * @param end address after the last
 * @param permissions such as {@code rw-s}
 * @param offset of the first byte in the file
 * @param device the file system, as in {@link FileStatus}
 * @param inode the file in it; 0 for anonymous memory
 * @param path the file's; empty or in brackets for anonymous memory
 */
public record Mapping(long start, long end, String permissions, long offset, long device, long inode, String path) {
    private static final Path MAPS = Path.of("/proc/self/maps");
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final String MEMFD = "/memfd:";
    private static final int FIELDS = 6;

    /** The mappings of this process, by address. */
    public static List<Mapping> all() {
        try {
            List<Mapping> mappings = new ArrayList<>();
            for (String line : Files.readAllLines(MAPS)) {
                mappings.add(parse(line));
            }
            return mappings;
        } catch (IOException e) {
            throw new CuframesException(ErrorCode.SYSTEM, "reading " + MAPS + " failed: " + e, e);
        }
    }

    static Mapping parse(String line) {
        String[] fields = line.split(" +", FIELDS); // the path may hold blanks
        int dash = fields[0].indexOf('-');
        int colon = fields[3].indexOf(':');
        return new Mapping(
                Long.parseUnsignedLong(fields[0], 0, dash, 16),
                Long.parseUnsignedLong(fields[0], dash + 1, fields[0].length(), 16),
                fields[1],
                Long.parseUnsignedLong(fields[2], 16),
                Long.parseLong(fields[3], 0, colon, 16) << 32
                        | Long.parseLong(fields[3], colon + 1, fields[3].length(), 16),
                Long.parseLong(fields[4]),
                fields.length < FIELDS ? "" : fields[5]);
    }

    /** Whether the address lies in it. */
    public boolean contains(long address) {
        return Long.compareUnsigned(start, address) <= 0 && Long.compareUnsigned(address, end) < 0;
    }

    /** Whether what is written there is written to the file, for all who map it. */
    public boolean isShared() {
        return permissions.endsWith("s");
    }

    /** Whether it may be written. */
    public boolean isWritable() {
        return permissions.startsWith("rw");
    }

    /** Whether its file is a memfd by its name; a file of another kind may be called so, and cannot be sealed. */
    public boolean isMemfd() {
        return path.startsWith(MEMFD);
    }

    /** Whether it goes on where the other ends, in memory as in the file. */
    public boolean follows(Mapping other) {
        return start == other.end
                && sameFile(other)
                && offset == other.offset + (other.end - other.start)
                && permissions.equals(other.permissions);
    }

    /** Whether both are of the same file. */
    public boolean sameFile(Mapping other) {
        return device == other.device && inode == other.inode;
    }

    /** Opens the memfd that is mapped, for reading and writing; null if neither an open descriptor nor the mapping itself leads to it. */
    public Descriptor openMemfd() {
        try (DirectoryStream<Path> links = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path link : links) {
                Descriptor found = leadsToMemfd(link) ? openIfMapped(link) : null;
                if (found != null) {
                    return found;
                }
            }
        } catch (IOException e) {
            throw new CuframesException(ErrorCode.SYSTEM, "reading " + DESCRIPTORS + " failed: " + e, e);
        }
        // For a privileged process only, and thus the second choice.
        return openIfMapped(Path.of("/proc/self/map_files/" + Long.toHexString(start) + "-" + Long.toHexString(end)));
    }

    private static boolean leadsToMemfd(Path link) {
        try {
            return Files.readSymbolicLink(link).toString().startsWith(MEMFD);
        } catch (IOException e) {
            return false; // closed since it was listed
        }
    }

    /** Opens it and only then looks what it is: the descriptor may be another by now. */
    private Descriptor openIfMapped(Path link) {
        int fd = Posix.tryOpen(link, Libc.O_RDWR, 0);
        if (fd < 0) {
            return null;
        }
        Descriptor descriptor = new Descriptor(fd);
        FileStatus status = Posix.status(descriptor, link.toString());
        if (status.device() == device && status.inode() == inode) {
            return descriptor;
        }
        descriptor.close();
        return null;
    }
}
