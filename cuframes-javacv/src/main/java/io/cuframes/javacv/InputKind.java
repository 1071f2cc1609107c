// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

/** What an address leads to, as far as its text and the file system show it before anything is opened. */
enum InputKind {
    /** A regular file, or a pattern of files: has an end, and can be read again from its beginning. */
    FILE,
    /** Local, and no regular file: a FIFO, a character device, a unix socket, standard input. It has no known end, and no beginning to return to. */
    PIPE,
    /** A sender that has its own pace and no known end: rtsp, rtp, udp, tcp, srt, rtmp, a session description (.sdp) and so on. */
    LIVE,
    /** A resource of HTTP. Whether it is a file or a stream shows once it is open: a file has a duration. */
    HTTP,
    /** A playlist of HLS or DASH, of HTTP or of a file. Whether it has an end shows once it is open. */
    SEGMENTED
}
