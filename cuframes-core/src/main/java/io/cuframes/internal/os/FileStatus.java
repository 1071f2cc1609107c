// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

/**
 * What the kernel says of a file.
 *
 * @param device the file system
 * @param inode the file in it; with the device, the file's identity
 * @param size bytes
 * @param owner user id
 * @param group group id
 * @param mode type and permissions, as stat(2) has them
 */
public record FileStatus(long device, long inode, long size, int owner, int group, int mode) {
    private static final int TYPE = 0170000;
    private static final int SOCKET = 0140000;
    private static final int LINK = 0120000;
    private static final int REGULAR = 0100000;

    /** Whether both are the same file. */
    public boolean sameFile(FileStatus other) {
        return device == other.device && inode == other.inode;
    }

    /** Whether it is a unix socket's name. */
    public boolean isSocket() {
        return (mode & TYPE) == SOCKET;
    }

    /** Whether it is a symbolic link. */
    public boolean isLink() {
        return (mode & TYPE) == LINK;
    }

    /** Whether it is a file of bytes, in memory or not. */
    public boolean isRegular() {
        return (mode & TYPE) == REGULAR;
    }

    /** The permission bits alone. */
    public int permissions() {
        return mode & 07777;
    }
}
