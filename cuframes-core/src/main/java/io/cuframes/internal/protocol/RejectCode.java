// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.protocol;

import io.cuframes.ErrorCode;

/** Why a publisher turns a subscriber away (docs/protocol.md, section 6.3). */
public enum RejectCode {
    VERSION(1, ErrorCode.PROTOCOL),
    TRANSPORT(2, ErrorCode.UNSUPPORTED),
    FULL(3, ErrorCode.NO_SLOT),
    ACCESS(4, ErrorCode.ACCESS_DENIED),
    MALFORMED(5, ErrorCode.PROTOCOL),
    ENDING(6, ErrorCode.DISCONNECTED),
    BUSY(7, ErrorCode.TIMEOUT);

    private final int code;
    private final ErrorCode error;

    RejectCode(int code, ErrorCode error) {
        this.code = code;
        this.error = error;
    }

    public int code() {
        return code;
    }

    /** What the subscriber's caller is told. */
    public ErrorCode error() {
        return error;
    }

    /** Whether another try may be answered otherwise before the subscriber's connect timeout is over. */
    public boolean isPassing() {
        return this == ENDING || this == BUSY;
    }

    /** The code of that number, or null. */
    public static RejectCode ofCode(int code) {
        for (RejectCode reject : values()) {
            if (reject.code == code) {
                return reject;
            }
        }
        return null;
    }
}
