// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import io.cuframes.ffm.Errno;
import io.cuframes.ffm.Libc;
import io.cuframes.internal.os.Closing;
import io.cuframes.internal.os.Descriptor;
import io.cuframes.internal.os.FileStatus;
import io.cuframes.internal.os.PeerCredentials;
import io.cuframes.internal.os.Posix;
import io.cuframes.internal.os.UnixAddress;
import java.nio.file.Path;

/**
 * A socket directory that was opened and then checked (docs/protocol.md, section 2), or why it was not. Whatever is done in it is done through its
 * descriptor: a name may lead elsewhere in the next moment, where anybody can rename, and a descriptor never does.
 */
public final class OpenedPlace implements AutoCloseable {
    private static final int DIRECTORY = Libc.O_PATH | Libc.O_DIRECTORY;
    private static final int WRITABLE_BY_OTHERS = 022;

    /** What came of opening it. */
    public enum State {
        /** It is open, and may be used. */
        OPEN,
        /** There is nothing. */
        ABSENT,
        /** There is something else than a directory. */
        NO_DIRECTORY,
        /** This user cannot get there. */
        CLOSED,
        /** Somebody else could have made it. */
        DISTRUSTED
    }

    private final Place place;
    private final State state;
    private final String trouble;
    private final Descriptor directory;
    private final FileStatus status;
    private final boolean vouchedFor;

    private OpenedPlace(
            Place place, State state, String trouble, Descriptor directory, FileStatus status, boolean vouchedFor) {
        this.place = place;
        this.state = state;
        this.trouble = trouble;
        this.directory = directory;
        this.status = status;
        this.vouchedFor = vouchedFor;
    }

    private static OpenedPlace not(Place place, State state, String trouble) {
        return new OpenedPlace(place, state, trouble, null, null, false);
    }

    /**
     * Opens a place and checks it. A usual one may be used if it belongs to this user or to root, or if root vouches for it: only root can have made,
     * or given away, what is in a directory that belongs to root and that nobody else can write to.
     *
     * @throws CuframesException code SYSTEM if this process has no descriptor left, or no /proc
     */
    public static OpenedPlace open(Place place) {
        if (!place.isUsual()) {
            int fd = Posix.tryOpen(place.path(), DIRECTORY, 0);
            if (fd < 0) {
                return unopened(place, place.path(), -fd);
            }
            return checked(place, new Descriptor(fd), null);
        }
        Path above = place.path().getParent();
        int fd = Posix.tryOpen(above, DIRECTORY, 0);
        if (fd < 0) {
            return unopened(place, above, -fd);
        }
        try (Descriptor parent = new Descriptor(fd)) {
            return openIn(parent, place);
        }
    }

    private static OpenedPlace openIn(Descriptor parent, Place place) {
        FileStatus above = Posix.status(parent, place.path().getParent().toString());
        if (place.kind() == Place.Kind.SESSION && !isRootOrSelf(above.owner())) {
            return not(
                    place,
                    State.DISTRUSTED,
                    "is in " + place.path().getParent() + ", which is of another user's session: it belongs to user "
                            + above.owner());
        }
        // A link is followed where nobody but root and this user can have made it.
        boolean closed = isRootOrSelf(above.owner()) && (above.mode() & WRITABLE_BY_OTHERS) == 0;
        String file = place.path().getFileName().toString();
        int fd = Posix.tryOpen(Posix.inside(parent, file), closed ? DIRECTORY : DIRECTORY | Libc.O_NOFOLLOW, 0);
        if (fd == -Errno.ENOENT) {
            Posix.requireProc();
        }
        if (fd == -Errno.ENOTDIR || fd == -Errno.ELOOP) {
            FileStatus named = Posix.status(Posix.inside(parent, file), place.toString());
            if (!closed && named != null && named.isLink()) {
                return not(
                        place,
                        State.DISTRUSTED,
                        "is a symbolic link, which anybody can make in "
                                + place.path().getParent() + ": it is not followed");
            }
        }
        return fd < 0 ? unopened(place, place.path(), -fd) : checked(place, new Descriptor(fd), above);
    }

    private static boolean isRootOrSelf(int user) {
        return user == 0 || user == Libc.geteuid();
    }

    private static OpenedPlace unopened(Place place, Path reached, int errno) {
        return switch (errno) {
            case Errno.ENOENT -> not(place, State.ABSENT, "does not exist");
            case Errno.ENOTDIR, Errno.ELOOP -> not(place, State.NO_DIRECTORY, "is not a directory");
            case Errno.EACCES -> not(place, State.CLOSED, "is in a directory that is closed to user " + Libc.geteuid());
            default -> throw Posix.failure("opening the socket directory " + reached, errno);
        };
    }

    /** By what the descriptor leads to, and not by the name. */
    private static OpenedPlace checked(Place place, Descriptor directory, FileStatus above) {
        try {
            FileStatus status = Posix.status(directory, place.toString());
            boolean vouched =
                    place.kind() == Place.Kind.SYSTEM && above.owner() == 0 && (above.mode() & WRITABLE_BY_OTHERS) == 0;
            if (!place.isUsual() || vouched || isRootOrSelf(status.owner())) {
                return new OpenedPlace(place, State.OPEN, "", directory, status, vouched);
            }
            directory.close();
            return not(place, State.DISTRUSTED, whoseItIs(place, status, above));
        } catch (Throwable e) {
            Closing.undo(e, directory);
            throw e;
        }
    }

    private static String whoseItIs(Place place, FileStatus status, FileStatus above) {
        String whose = "belongs to user " + status.owner();
        return place.kind() != Place.Kind.SYSTEM
                ? whose
                : whose + ", and others than root can write to " + place.path().getParent() + " (mode "
                        + Integer.toOctalString(above.permissions()) + ", user " + above.owner() + ")";
    }

    /** Which place it is. */
    public Place place() {
        return place;
    }

    /** The directory's name. */
    public Path path() {
        return place.path();
    }

    /** What came of opening it. */
    public State state() {
        return state;
    }

    /** Whether it may be used. */
    public boolean isOpen() {
        return state == State.OPEN;
    }

    /** Why it may not be used, to go on behind its name; "" if it may. */
    public String trouble() {
        return trouble;
    }

    /** What the directory is; only if it is open. */
    public FileStatus status() {
        return status;
    }

    /** Its mode and owner, for a message; only if it is open. */
    public String describe() {
        return "mode " + Integer.toOctalString(status.permissions()) + ", user " + status.owner() + ", group "
                + status.group();
    }

    /** The path by the descriptor of a file in it, or of itself for "". */
    public Path inside(String file) {
        return Posix.inside(directory, file);
    }

    /** The address of a socket in it. */
    UnixAddress address(String file) {
        return new UnixAddress(place.path().resolve(file), inside(file));
    }

    /** The status of a file in it, without following a link; null if the file does not exist. */
    FileStatus status(String file) {
        return Posix.status(inside(file), place.path().resolve(file).toString());
    }

    /** Whether this user can see if there is a file of that name. */
    boolean canSee(String file) {
        try {
            status(file);
            return true;
        } catch (CuframesException e) {
            if (e.code() != ErrorCode.ACCESS_DENIED) {
                throw e;
            }
            return false;
        }
    }

    /**
     * Why what listens here is not taken for a publisher, whoever has put it there; null if it may be one. In a usual place that is somebody else
     * than this user, root, and whom root has given the directory to.
     */
    String distrust(PeerCredentials listener) {
        int user = listener.uid();
        if (!place.isUsual() || isRootOrSelf(user) || (vouchedFor && user == status.owner())) {
            return null;
        }
        return "is listened on by a process of user " + user + ", who is neither this user, nor root"
                + (vouchedFor && status.owner() != 0 ? ", nor the directory's owner " + status.owner() : "")
                + ": it is not trusted in a usual place";
    }

    @Override
    public void close() {
        if (directory != null) {
            directory.close();
        }
    }
}
