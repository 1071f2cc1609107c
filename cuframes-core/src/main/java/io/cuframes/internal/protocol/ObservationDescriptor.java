// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

/**
 * What an observer is answered (docs/protocol.md, sections 6.8 and 6.9): one OBSERVED, and as many READERs as it says.
 *
 * <pre>
 *            0        4      6                                                              256
 *            ┌────────┬──────┬──────┬───────────────────────────────────────────────────────┐
 *  OBSERVED  │ 256    │ 6    │ 0    │ version, pid, epoch, what is constant, counters, key   │
 *            ├────────┼──────┼──────┼──────────────────────────────────────────┬────────────┘
 *  READER    │ 144    │ 7    │ 0    │ number, pid, flags, counters, name, GPU  │
 *            └────────┴──────┴──────┴──────────────────────────────────────────┘ 144
 *             length   type   reserved
 * </pre>
 */
public final class ObservationDescriptor {
    public static final int OBSERVED = 6;
    public static final int READER = 7;

    /** In the place of a mode, in HELLO: only looks. */
    public static final int MODE_OBSERVE = 3;

    public static final int OBSERVED_LENGTH = 256;
    public static final long OBSERVED_MAJOR_OFFSET = 8;
    public static final long OBSERVED_MINOR_OFFSET = 10;
    public static final long OBSERVED_PID_OFFSET = 12;
    public static final long OBSERVED_EPOCH_OFFSET = 16;
    public static final long OBSERVED_CREATED_OFFSET = 24;
    public static final long OBSERVED_STATE_OFFSET = 32;
    public static final long OBSERVED_TRANSPORT_OFFSET = 36;
    public static final long OBSERVED_PIXEL_FORMAT_OFFSET = 40;
    public static final long OBSERVED_WIDTH_OFFSET = 44;
    public static final long OBSERVED_HEIGHT_OFFSET = 48;
    public static final long OBSERVED_SLOTS_OFFSET = 52;
    public static final long OBSERVED_POLICY_OFFSET = 56;
    public static final long OBSERVED_OWNERSHIP_OFFSET = 60;
    public static final long OBSERVED_PUBLISHED_OFFSET = 64;
    public static final long OBSERVED_HEAD_SEQ_OFFSET = 72;
    public static final long OBSERVED_DROPPED_OFFSET = 80;
    public static final long OBSERVED_REFUSED_OFFSET = 88;
    public static final long OBSERVED_STALLED_OFFSET = 96;
    public static final long OBSERVED_SUBSCRIBERS_OFFSET = 104;
    public static final long OBSERVED_MAX_SUBSCRIBERS_OFFSET = 108;
    public static final long OBSERVED_READERS_OFFSET = 112;
    public static final long OBSERVED_IDLE_OFFSET = 116;
    public static final long OBSERVED_TIME_OFFSET = 120;
    public static final long OBSERVED_NEWEST_TIME_OFFSET = 128;
    public static final long OBSERVED_OLDEST_SEQ_OFFSET = 136;
    public static final long OBSERVED_OLDEST_TIME_OFFSET = 144;
    public static final long OBSERVED_FRAME_BYTES_OFFSET = 152;
    public static final long OBSERVED_RING_LENGTH_OFFSET = 160;
    public static final long OBSERVED_DEVICE_UUID_OFFSET = 168;
    public static final long OBSERVED_MAX_LEASES_OFFSET = 184;
    public static final long OBSERVED_DAMAGED_OFFSET = 188;
    public static final long OBSERVED_KEY_OFFSET = 192;
    public static final int OBSERVED_KEY_LENGTH = 64;

    public static final int READER_LENGTH = 144;
    public static final long READER_SUBSCRIBER_OFFSET = 8;
    public static final long READER_PID_OFFSET = 12;
    public static final long READER_MODE_OFFSET = 16;
    public static final long READER_FLAGS_OFFSET = 20;
    public static final long READER_HELD_OFFSET = 22;
    public static final long READER_CURSOR_OFFSET = 24;
    public static final long READER_LEASED_OFFSET = 32;
    public static final long READER_RECEIVED_OFFSET = 40;
    public static final long READER_MISSED_OFFSET = 48;
    public static final long READER_TIMEOUTS_OFFSET = 56;
    public static final long READER_NAME_OFFSET = 64;
    public static final int READER_NAME_LENGTH = 64;
    public static final long READER_DEVICE_UUID_OFFSET = 128;

    /** Bits of a READER's flags. */
    public static final int READER_READY = 1;

    public static final int READER_WAITING = 2;
    public static final int READER_STALLED = 4;

    /** What READER_HELD counts in, nanoseconds; and the most it says. */
    public static final long READER_HELD_UNIT_NANOS = 100_000_000;

    public static final int READER_HELD_MOST = 65535;

    /** The most frames that OBSERVED_DAMAGED counts, as an unsigned number. */
    public static final long OBSERVED_DAMAGED_MOST = 0xffff_ffffL;

    /** READERs that follow at most: as many as any publisher admits. */
    public static final int MAX_READERS = 256;

    private ObservationDescriptor() {}
}
