// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

/**
 * A peer as the kernel knows it.
 *
 * @param pid process id in our pid namespace; 0 if it has none there
 * @param uid effective user id
 * @param gid effective group id
 */
public record PeerCredentials(int pid, int uid, int gid) {
    /** The process in words, for messages: one of another container has no number here. */
    public String describe() {
        return pid == 0 ? "a process of another pid namespace (container), of user " + uid : "process " + pid;
    }
}
