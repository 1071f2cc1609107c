// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.internal.os.PeerCredentials;
import java.nio.file.Path;

/**
 * What came of a look at a name where a stream's socket may be.
 *
 * @param key the stream's
 * @param socket the name; null for a stream of which only the segment was found
 * @param standing what it is
 * @param found what was seen, in a line
 * @param listener who listens there; null if nobody does, or it is not known
 * @param observation what the publisher told; null unless it is {@link Standing#SEEN}
 */
public record Sighting(
        StreamKey key,
        Path socket,
        Standing standing,
        String found,
        PeerCredentials listener,
        Observation observation) {
    /** What a name turns out to be, or why that cannot be said. */
    public enum Standing {
        /** A publisher's, which told of its stream. */
        SEEN,
        /** Nothing. */
        ABSENT,
        /** A file that is no socket. */
        NO_SOCKET,
        /** A socket that nobody listens on: a publisher's that died. */
        DEAD,
        /** A socket, or a directory, that the modes of files close to this user. */
        CLOSED,
        /** In a usual place that somebody else could have made, or listened on by somebody else than this user trusts there. */
        FOREIGN,
        /** A publisher's, which does not admit this user. */
        REFUSED,
        /** A publisher's of another protocol version. */
        OTHER_VERSION,
        /** A publisher's, which has no time now or is ending. */
        BUSY,
        /** A process's that accepts or listens, and says nothing. */
        SILENT,
        /** A process's that does not follow the protocol. */
        BROKEN,
        /** A publisher's segment, locked by it or another user's; its socket is not where it was looked for. */
        ELSEWHERE
    }

    static Sighting of(StreamKey key, Path socket, Standing standing, String found) {
        return new Sighting(key, socket, standing, found, null, null);
    }

    /** The same of a listener that is known. */
    Sighting by(PeerCredentials who) {
        return new Sighting(key, socket, standing, found, who, observation);
    }

    /** What to do about it, in a line; "" where there is nothing to be done. */
    public String remedy() {
        return switch (standing) {
            case SEEN -> "";
            case ABSENT -> "start a publisher of \"" + key + "\", or check the key and the socket directory";
            case NO_SOCKET -> "remove it, if nothing else needs it: rm " + socket;
            case DEAD ->
                "the next publisher of \"" + key + "\" takes the name over; or remove it: rm "
                        + (socket == null ? key.segmentPath() : socket);
            case CLOSED, REFUSED ->
                "run this as the publisher's user or in a group that it admits, or have the publisher allow it"
                        + " (Publisher.Builder.allowUsers, allowGroups; rtsp-source --allow-user, --allow-group)";
            case FOREIGN ->
                "if this stream is wanted, name its directory with --socket-dir: one that is named is trusted";
            case OTHER_VERSION -> "use the same release of cuframes on both sides";
            case BUSY -> "try again";
            case SILENT ->
                "the process" + (listener == null || listener.pid() == 0 ? "" : " " + listener.pid())
                        + " is stopped or hangs: see what it waits for (ps, jstack), and start it again";
            case BROKEN -> "see what listens there: it is no publisher of cuframes, or one of an older release";
            case ELSEWHERE ->
                "name the publisher's socket directory with --socket-dir; in a container, mount it into this one";
        };
    }
}
