// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.PeerCredentials;
import io.cuframes.internal.os.Posix;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Who may read a stream (docs/protocol.md, section 6.6): the publisher's own user and root always, and those named here. The credentials that
 * the kernel has of a peer decide; the modes of the files only keep others from asking, where a mode can say as much.
 *
 * @param owner the publisher's user id
 * @param users further user ids
 * @param groups group ids, primary or supplementary
 * @param chosen whether the caller has named them, and wants to hear if they cannot come in
 */
public record Access(int owner, Set<Integer> users, Set<Integer> groups, boolean chosen) {
    private static final int NO_GROUP = -1;

    /**
     * What a publisher of this process was told.
     *
     * @param users to be admitted besides its own; null for none
     * @param groups to be admitted; null for its primary one
     * @throws CuframesException code INVALID_ARGUMENT for a negative id
     */
    public static Access of(Set<Integer> users, Set<Integer> groups) {
        int owner = Libc.geteuid();
        Set<Integer> others = new TreeSet<>(users == null ? Set.of() : users);
        others.remove(owner);
        others.remove(0);
        Set<Integer> all = groups == null ? Set.of(Libc.getegid()) : new TreeSet<>(groups);
        for (Integer id : union(others, all)) {
            if (id < 0) {
                throw new CuframesException(
                        ErrorCode.INVALID_ARGUMENT, "the user or group id " + id + " is negative: ids are 0 or more");
            }
        }
        return new Access(owner, others, all, users != null || groups != null);
    }

    private static Set<Integer> union(Set<Integer> some, Set<Integer> more) {
        Set<Integer> all = new TreeSet<>(some);
        all.addAll(more);
        return all;
    }

    /** Whether a peer is let in; asks for its supplementary groups only where that decides. */
    boolean admits(PeerCredentials who, Descriptor socket) {
        return who.uid() == owner
                || who.uid() == 0
                || users.contains(who.uid())
                || groups.contains(who.gid())
                || (!groups.isEmpty() && Posix.isPeerInGroup(socket, groups));
    }

    /** The one group that the files' modes can name, or NO_GROUP. */
    private int group() {
        return groups.size() == 1 ? groups.iterator().next() : NO_GROUP;
    }

    /** Whether more may come in than an owner and a group, as which a mode knows them. */
    private boolean isBeyondModes() {
        return !users.isEmpty() || groups.size() > 1;
    }

    /** Of the socket: who may connect, which is writing to it. */
    private int socketMode() {
        return isBeyondModes() ? 0666 : group() == NO_GROUP ? 0600 : 0660;
    }

    /**
     * Of a directory that is made: who may go through it. No more: who can write in it could put another socket at a key's name, and who can read
     * it could lock it.
     */
    private int directoryMode() {
        return isBeyondModes() ? 0711 : group() == NO_GROUP ? 0700 : 0710;
    }

    /** Of the segment's name, which readers do not need: they are sent a descriptor. */
    private int segmentMode() {
        return group() == NO_GROUP ? 0600 : 0640;
    }

    void applyToSocket(Descriptor file, String what) {
        apply(file, socketMode(), what);
    }

    void applyToDirectory(Descriptor file, String what) {
        apply(file, directoryMode(), what);
    }

    void applyToSegment(Descriptor file, String what) {
        apply(file, segmentMode(), what);
    }

    /** Group first: a group that is not meant never has the mode. */
    private void apply(Descriptor file, int mode, String what) {
        int group = group();
        if (group != NO_GROUP && Posix.status(file, what).group() != group) {
            int result = Posix.trySetGroup(file, group);
            if (result == -Errno.EPERM) {
                throw new CuframesException(
                        ErrorCode.ACCESS_DENIED,
                        "cannot give " + what + " to group " + group + ", which this user (" + owner
                                + ") is not in: run the publisher as a member of that group, or allow users instead");
            }
            Posix.check(result, "giving " + what + " to group " + group);
        }
        Posix.setMode(file, mode, what);
    }

    /** Why some of those who are let in cannot get through a directory to the socket; null if they can. */
    public String hindrance(FileStatus directory) {
        if ((directory.mode() & 01) != 0 || (group() == NO_GROUP && !isBeyondModes())) {
            return null;
        }
        boolean groupPasses = (directory.mode() & 010) != 0 && directory.group() == group();
        return groupPasses && !isBeyondModes()
                ? null
                : "its mode is " + Integer.toOctalString(directory.permissions()) + ", its user " + directory.owner()
                        + ", its group " + directory.group();
    }

    /** What to tell one who is not let in; at most 512 bytes. */
    String refusal(PeerCredentials who) {
        return "user " + who.uid() + " (group " + who.gid() + ") may not read the frames of user " + owner
                + ": the publisher admits " + this + "; run the subscriber as one of these, or have the publisher"
                + " allow it (Publisher.Builder.allowUsers, allowGroups; rtsp-source --allow-user, --allow-group)";
    }

    @Override
    public String toString() {
        return "its own user" + list(", user", users) + list(", group", groups) + " and root";
    }

    private static String list(String what, Set<Integer> ids) {
        return ids.stream()
                .limit(8)
                .map(id -> what + " " + id)
                .collect(Collectors.joining("", "", ids.size() > 8 ? " and others" : ""));
    }
}
