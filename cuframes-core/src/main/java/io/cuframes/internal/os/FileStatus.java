// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

/**
 * What the kernel says of an open file.
 *
 * @param device the file system
 * @param inode the file in it; with the device, the file's identity
 * @param size bytes
 * @param owner user id
 */
public record FileStatus(long device, long inode, long size, int owner) {
    /** Whether both are the same file. */
    public boolean sameFile(FileStatus other) {
        return device == other.device && inode == other.inode;
    }
}
