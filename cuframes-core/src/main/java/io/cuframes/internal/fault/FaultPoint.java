// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.fault;

/**
 * The steps at which dying, standing still or failing could matter, in the order in which a stream's life reaches them. Each is named for what has
 * just been done. docs/reliability.md tells what is tried there.
 */
public enum FaultPoint {
    /** The ring's memory is there. */
    RING_MADE(Side.PUBLISHER, true),
    /** The key is locked: no other process publishes it in this {@code /dev/shm}. */
    KEY_LOCKED(Side.PUBLISHER, true),
    /** The segment is an unnamed file of no length. */
    SEGMENT_CREATED(Side.PUBLISHER, true),
    /** Its length is reserved. */
    SEGMENT_SIZED(Side.PUBLISHER, true),
    /** It is locked for writing, which shows that its publisher lives. */
    SEGMENT_LOCKED(Side.PUBLISHER, true),
    /** Header and slot descriptors are written. */
    SEGMENT_DESCRIBED(Side.PUBLISHER, true),
    /** Its state is READY; it has no name yet. */
    SEGMENT_READY(Side.PUBLISHER, true),
    /** A dead publisher's segment has lost its name to this one, which does not have it yet. */
    SEGMENT_LEFTOVER_REMOVED(Side.PUBLISHER, true),
    /** The segment has its name. */
    SEGMENT_NAMED(Side.PUBLISHER, true),
    /** The head can be announced: on a GPU, the segment is registered. */
    ANNOUNCER_MADE(Side.PUBLISHER, true),
    /** The socket's directory is open and checked, and nothing is done in it. */
    SOCKET_DIRECTORY_OPENED(Side.PUBLISHER, true),
    /** The socket has a name of its own, and not yet the key's. */
    SOCKET_BOUND(Side.PUBLISHER, true),
    /** It listens, under that name. */
    SOCKET_LISTENING(Side.PUBLISHER, true),
    /** It has the key's name, in place of a dead publisher's if there was one: subscribers can connect. */
    SOCKET_NAMED(Side.PUBLISHER, false),
    /** The server thread runs. */
    SERVER_STARTED(Side.PUBLISHER, true),
    /** The key's name was found to lead to this publisher's socket no more, and is not made again yet. */
    SOCKET_LOST(Side.PUBLISHER, true),

    /** A connection is accepted. */
    PEER_ACCEPTED(Side.PUBLISHER, false),
    /** HELLO is there, whole. */
    HELLO_READ(Side.PUBLISHER, true),
    /** A control page is made and sealed, and not mapped yet. */
    CONTROL_PAGE_MADE(Side.PUBLISHER, true),
    /** The subscriber's leases count. */
    CONTROL_PAGE_COUNTED(Side.PUBLISHER, false),
    /** WELCOME is sent. */
    WELCOME_SENT(Side.PUBLISHER, false),
    /** READY is there. */
    READY_READ(Side.PUBLISHER, false),
    /** A connection's end was seen, its leases do not count any more, and its socket is still open. */
    PEER_RELEASED(Side.PUBLISHER, false),

    /** Nobody leases the slot at a first look. */
    LEASES_LOOKED_AT(Side.PUBLISHER, false),
    /** The slot is marked invalid. */
    SLOT_INVALIDATED(Side.PUBLISHER, false),
    /** Nobody leases the slot: it is the writer's. */
    LEASES_SCANNED(Side.PUBLISHER, false),
    /** A lease came between: the slot has its frame back. */
    SLOT_RESTORED(Side.PUBLISHER, false),
    /** The caller has the slot. */
    SLOT_ACQUIRED(Side.PUBLISHER, false),
    /** A plane is copied, or its copy queued. */
    PLANE_COPIED(Side.PUBLISHER, true),
    /** All of the frame's metadata but its number is written. */
    SLOT_DESCRIBED(Side.PUBLISHER, false),
    /** The slot has the frame's number. */
    SLOT_NAMED(Side.PUBLISHER, false),
    /** The index ring has the frame. */
    FRAME_INDEXED(Side.PUBLISHER, false),
    /** The frame counts as published; the head is not written, or not queued. */
    FRAME_COUNTED(Side.PUBLISHER, false),
    /** GPU rings: the announcement is about to be queued. */
    ANNOUNCING(Side.PUBLISHER, true),
    /** The head is written; on a GPU, its write is queued. */
    HEAD_ANNOUNCED(Side.PUBLISHER, false),
    /** Sleeping readers are woken, if there were any. */
    SLEEPERS_WOKEN(Side.PUBLISHER, false),

    /** The stream is to end, and nobody has been told. */
    ENDING(Side.PUBLISHER, false),
    /** The state is ENDED. */
    STATE_ENDED(Side.PUBLISHER, false),
    /** The segment has no name any more. */
    SEGMENT_UNLINKED(Side.PUBLISHER, false),
    /** The socket has no name any more. */
    SOCKET_UNLINKED(Side.PUBLISHER, false),
    /** The key's lock is released: a successor may have it. */
    KEY_UNLOCKED(Side.PUBLISHER, false),
    /** Every subscriber was sent BYE. */
    BYE_SENT(Side.PUBLISHER, false),
    /** The server thread has ended. */
    SERVER_ENDED(Side.PUBLISHER, false),
    /** Everything is let go of. */
    PUBLISHER_CLOSED(Side.PUBLISHER, false),
    /** One epoch is closed, and the next of another format is not begun. */
    REOPENING(Side.PUBLISHER, true),

    /** A directory where a socket may be is open and checked, and nothing is connected to. */
    PLACE_OPENED(Side.SUBSCRIBER, true),
    /** A publisher's socket has accepted the connection. */
    CONNECTED(Side.SUBSCRIBER, true),
    /** HELLO is sent. */
    HELLO_SENT(Side.SUBSCRIBER, true),
    /** WELCOME and its descriptors are there. */
    WELCOME_READ(Side.SUBSCRIBER, true),
    /** The segment is mapped and checked. */
    SEGMENT_MAPPED(Side.SUBSCRIBER, true),
    /** The control page is mapped. */
    CONTROL_MAPPED(Side.SUBSCRIBER, true),
    /** The ring is mapped. */
    RING_MAPPED(Side.SUBSCRIBER, true),
    /** Mode and cursor are in the control page. */
    CURSOR_SET(Side.SUBSCRIBER, false),
    /** READY is sent. */
    READY_SENT(Side.SUBSCRIBER, false),

    /** A frame is found in the head or the index, and not leased. */
    FRAME_FOUND(Side.SUBSCRIBER, false),
    /** The lease is stored, and not checked. */
    LEASE_STORED(Side.SUBSCRIBER, false),
    /** The slot still holds the frame: it is leased. */
    LEASE_CHECKED(Side.SUBSCRIBER, false),
    /** The frame was gone: the lease is taken back. */
    LEASE_WITHDRAWN(Side.SUBSCRIBER, false),
    /** The counters of the control page count the frame, its cursor does not. */
    FRAME_TALLIED(Side.SUBSCRIBER, false),
    /** The cursor is that of the frame. */
    CURSOR_STORED(Side.SUBSCRIBER, false),
    /** The application is about to be given the frame. */
    FRAME_DELIVERED(Side.SUBSCRIBER, false),
    /** The reader has said that it sleeps, and does not yet. */
    WAITING_STORED(Side.SUBSCRIBER, false),
    /** The reader was woken, or its sleep was over. */
    WOKEN(Side.SUBSCRIBER, false),
    /** A frame is to be closed, and its lease stands. */
    FRAME_RELEASING(Side.SUBSCRIBER, false),
    /** Its lease is ended; on a GPU, the write that ends it may be queued only. */
    FRAME_RELEASED(Side.SUBSCRIBER, false),

    /** The publisher is known to be gone. */
    PUBLISHER_LOST(Side.SUBSCRIBER, false),
    /** The next publisher's ring is mapped, and frames of the epoch before may be held. */
    EPOCH_BEGUN(Side.SUBSCRIBER, false),
    /** A connection is to be closed; all is mapped. */
    DISCONNECTING(Side.SUBSCRIBER, false),
    /** The ring is unmapped, segment and control page are not. */
    RING_UNMAPPED(Side.SUBSCRIBER, false),
    /** All is unmapped, the socket is still open. */
    ALL_UNMAPPED(Side.SUBSCRIBER, false);

    /** Whose step it is. */
    public enum Side {
        /** The process that publishes. */
        PUBLISHER,
        /** A process that reads. */
        SUBSCRIBER
    }

    private final Side side;
    private final boolean failing;

    FaultPoint(Side side, boolean failing) {
        this.side = side;
        this.failing = failing;
    }

    /** Whose step it is. */
    public Side side() {
        return side;
    }

    /** Whether a call that can fail is made here, so that an exception in its place must be coped with. Elsewhere there are stores only. */
    public boolean canFail() {
        return failing;
    }
}
