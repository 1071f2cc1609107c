// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

/**
 * The messages on the socket (docs/protocol.md, section 6).
 *
 * <pre>
 *          0        4      6      8
 *          ┌────────┬──────┬──────┬───────────────────────────────────────────────────────────────────────┐
 *  HELLO   │ 112    │ 1    │ 0    │ magic u32, major, minor, transports, mode, pid, 20 reserved, name[64] │
 *  WELCOME │ 56     │ 2    │ 0    │ major, minor, subscriber, epoch, segment_length, ring_length, ...     │
 *  REJECT  │ 20 + n │ 3    │ 0    │ code, major, minor, text_length, text[n]                              │
 *  BYE     │ 16     │ 4    │ 0    │ reason, reserved                                                      │
 *  READY   │ 8      │ 5    │ 0    │                                                                       │
 *          └────────┴──────┴──────┴───────────────────────────────────────────────────────────────────────┘
 *           length   type   reserved
 * </pre>
 */
public final class MessageDescriptor {
    public static final long LENGTH_OFFSET = 0;
    public static final long TYPE_OFFSET = 4;
    public static final int HEADER_LENGTH = 8;
    public static final int MAX_LENGTH = 1024;

    public static final int HELLO = 1;
    public static final int WELCOME = 2;
    public static final int REJECT = 3;
    public static final int BYE = 4;
    public static final int READY = 5;

    /** The bytes {@code CUFH}, read as a little-endian u32. */
    public static final int HELLO_MAGIC = 0x48465543;

    public static final int HELLO_LENGTH = 112;
    public static final long HELLO_MAGIC_OFFSET = 8;
    public static final long HELLO_MAJOR_OFFSET = 12;
    public static final long HELLO_MINOR_OFFSET = 14;
    public static final long HELLO_TRANSPORTS_OFFSET = 16;
    public static final long HELLO_MODE_OFFSET = 20;
    public static final long HELLO_PID_OFFSET = 24;
    public static final long HELLO_NAME_OFFSET = 48;
    public static final int HELLO_NAME_LENGTH = 64;

    public static final int WELCOME_LENGTH = 56;
    public static final long WELCOME_MAJOR_OFFSET = 8;
    public static final long WELCOME_MINOR_OFFSET = 10;
    public static final long WELCOME_SUBSCRIBER_OFFSET = 12;
    public static final long WELCOME_EPOCH_OFFSET = 16;
    public static final long WELCOME_SEGMENT_LENGTH_OFFSET = 24;
    public static final long WELCOME_RING_LENGTH_OFFSET = 32;
    public static final long WELCOME_TRANSPORT_OFFSET = 40;
    public static final long WELCOME_DESCRIPTORS_OFFSET = 44;
    public static final long WELCOME_MAX_LEASES_OFFSET = 48;

    public static final int REJECT_FIXED_LENGTH = 20;
    public static final int REJECT_MAX_TEXT = 512;
    public static final long REJECT_CODE_OFFSET = 8;
    public static final long REJECT_MAJOR_OFFSET = 12;
    public static final long REJECT_MINOR_OFFSET = 14;
    public static final long REJECT_TEXT_LENGTH_OFFSET = 16;
    public static final long REJECT_TEXT_OFFSET = 20;

    public static final int BYE_LENGTH = 16;
    public static final long BYE_REASON_OFFSET = 8;
    public static final int BYE_ENDED = 1;
    public static final int BYE_FORMAT_CHANGED = 2;
    public static final int BYE_STALLED = 3;
    public static final int BYE_EVICTED = 4;

    public static final int READY_LENGTH = HEADER_LENGTH;

    private MessageDescriptor() {}
}
