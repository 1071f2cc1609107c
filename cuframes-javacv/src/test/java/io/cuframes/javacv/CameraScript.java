// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongUnaryOperator;

/**
 * What a {@link ScriptedCamera} does, and does wrong. Frames and connections are counted from the camera's start or the session's, as each method says;
 * connections from 1, frames from 0. Not thread-safe, and not changed once the camera runs.
 */
final class CameraScript {
    /** The last connection of what goes on for ever. */
    static final int FOR_EVER = Integer.MAX_VALUE;

    /** RTP's clock for video: RFC 6184, 8.2.1. */
    static final int TICKS_PER_SECOND = 90_000;

    /** What an audio track announces; its payload is random bytes, which is sound for PCMU alone. */
    enum Audio {
        PCMU,
        AAC,
        AAC_WITHOUT_CONFIG
    }

    /** How a session ends. */
    enum Ending {
        /** Nothing more comes, no answer either; the connection stays open. */
        SILENCE,
        FIN,
        RST,
        /** RTCP's BYE; the connection stays open. */
        BYE,
        /** The server's own request, then FIN. */
        TEARDOWN
    }

    /** What DESCRIBE answers with, in place of the tracks. */
    enum Description {
        NOTHING,
        NO_TRACKS,
        AUDIO_ALONE
    }

    /** Which of a session's packets are lost on the way. */
    interface Loss {
        /** Of the frame's {@code packets} packets, from 0. */
        boolean drops(long frame, int packet, int packets);
    }

    final AccessUnits clip;
    double fps = 25;
    double pace;
    boolean loop = true;
    boolean goesOn;
    long first;
    boolean announcesParameterSets = true;
    boolean ipv6;

    Audio audio;
    boolean audioFirst;
    boolean audioRefused;
    boolean audioSilent;
    Duration videoAfter = Duration.ZERO;

    int failStatus;
    int failFrom = FOR_EVER;
    int failTo;
    Description description;
    int describedFrom = FOR_EVER;
    int describedTo;
    String redirect;
    boolean redirectsToItself;
    boolean oneSession;
    int refusalsAfterSession;

    CameraPassword password;
    int passwordRefusedFrom = FOR_EVER;

    LongUnaryOperator ticks = this::usualTicks;
    long firstTimestamp = 1000;
    int firstSequence = 1;
    long restartAt = -1;

    int troubledSessions = 1;
    Ending ending;
    long endingAfter = Long.MAX_VALUE;
    long noiseAfter = Long.MAX_VALUE;
    AccessUnits nextClip;
    long nextClipAfter = Long.MAX_VALUE;
    Loss loss = (frame, packet, packets) -> false;

    CameraScript(Path clip) {
        this.clip = AccessUnits.of(clip);
    }

    private long usualTicks(long frame) {
        return Math.round(frame * TICKS_PER_SECOND / fps);
    }

    /** Frames per second, in the timestamps and, unless {@link #pace} says otherwise, on the way. Default: 25. */
    CameraScript fps(double newFps) {
        fps = newFps;
        return this;
    }

    /** Sends so many frames per second, whatever their timestamps say. */
    CameraScript pace(double framesPerSecond) {
        pace = framesPerSecond;
        return this;
    }

    /** Whether the clip begins again at its end, or the session falls silent there. Default: it begins again. */
    CameraScript loop(boolean newLoop) {
        loop = newLoop;
        return this;
    }

    /** A session begins with the key frame that follows the last frame sent, as live video does. Default: with the clip's beginning. */
    CameraScript goesOn() {
        goesOn = true;
        return this;
    }

    /** A session's first picture is this one of the clip: in mid-GOP, no key frame comes until the next one. */
    CameraScript startsAt(long accessUnit) {
        first = accessUnit;
        return this;
    }

    /** The SDP has no parameter sets: they come with the key frames alone. */
    CameraScript parameterSetsInBandOnly() {
        announcesParameterSets = false;
        return this;
    }

    /** Listens on ::1. Default: on 127.0.0.1. */
    CameraScript ipv6() {
        ipv6 = true;
        return this;
    }

    /** Has an audio track, after the video's. Default: none. */
    CameraScript audio(Audio kind) {
        audio = kind;
        return this;
    }

    /** The audio track comes before the video's in the SDP. */
    CameraScript audioFirst() {
        audioFirst = true;
        return this;
    }

    /** SETUP of the audio is answered with 461. */
    CameraScript audioRefused() {
        audioRefused = true;
        return this;
    }

    /** The audio track never sends. */
    CameraScript audioSilent() {
        audioSilent = true;
        return this;
    }

    /** The video begins so long after PLAY; audio that is set up begins at once. */
    CameraScript videoAfter(Duration delay) {
        videoAfter = delay;
        return this;
    }

    /** On these connections, DESCRIBE is answered with this status. */
    CameraScript describeFails(int status, int fromConnection, int toConnection) {
        failStatus = status;
        failFrom = fromConnection;
        failTo = toConnection;
        return this;
    }

    /** On these connections, DESCRIBE is answered with this instead of the tracks. */
    CameraScript describes(Description instead, int fromConnection, int toConnection) {
        description = instead;
        describedFrom = fromConnection;
        describedTo = toConnection;
        return this;
    }

    /** DESCRIBE is answered with 302 and this URL. */
    CameraScript redirectsTo(String url) {
        redirect = url;
        return this;
    }

    /** DESCRIBE is answered with 302 and the camera's own URL, for ever. */
    CameraScript redirectsToItself() {
        redirectsToItself = true;
        return this;
    }

    /**
     * SETUP is answered with 453 while another connection has the session; it is free again after TEARDOWN or the connection's end, and so many refusals
     * more.
     */
    CameraScript oneSession(int refusalsAfterwards) {
        oneSession = true;
        refusalsAfterSession = refusalsAfterwards;
        return this;
    }

    /** Asks for a password by RFC 7617. */
    CameraScript basicPassword(String user, String secret) {
        password = new CameraPassword(false, user, secret);
        return this;
    }

    /** Asks for a password by a digest. */
    CameraScript digestPassword(String user, String secret) {
        password = new CameraPassword(true, user, secret);
        return this;
    }

    /** From this connection on, no password is right: 401 for ever. */
    CameraScript refusesPasswordFrom(int connection) {
        passwordRefusedFrom = connection;
        return this;
    }

    /** Every Nth frame has the timestamp of the one before. */
    CameraScript everyTimeRepeated(int n) {
        ticks = frame -> usualTicks(frame % n == n - 1 ? frame - 1 : frame);
        return this;
    }

    /** Every Nth frame has a timestamp 1 ms earlier than the one before. */
    CameraScript everyTimeEarlier(int n) {
        ticks = frame -> frame % n == n - 1 ? usualTicks(frame - 1) - TICKS_PER_SECOND / 1000 : usualTicks(frame);
        return this;
    }

    /** All frames have the same timestamp. */
    CameraScript sameTimes() {
        ticks = frame -> 0;
        return this;
    }

    /** Two frames each have the timestamp of the first of them. */
    CameraScript timesInPairs() {
        ticks = frame -> usualTicks(frame - frame % 2);
        return this;
    }

    /** From this frame of a session on, timestamps are so much lower. */
    CameraScript timesBack(long fromFrame, Duration by) {
        ticks = frame -> usualTicks(frame) - (frame < fromFrame ? 0 : by.toMillis() * TICKS_PER_SECOND / 1000);
        return this;
    }

    /** The first timestamp of a session, of 32 bits: near their end they wrap. */
    CameraScript firstTimestamp(long timestamp) {
        firstTimestamp = timestamp;
        return this;
    }

    /** The first sequence number of a session, of 16 bits: near their end they wrap. */
    CameraScript firstSequence(int sequence) {
        firstSequence = sequence;
        return this;
    }

    /** At this frame of a troubled session, sequence numbers and timestamps begin again elsewhere. */
    CameraScript numbersRestartAt(long frame) {
        restartAt = frame;
        return this;
    }

    /** How many sessions end, turn into noise, lose packets or restart, from the first one on. Default: 1. */
    CameraScript troubledSessions(int count) {
        troubledSessions = count;
        return this;
    }

    /** A troubled session ends after so many frames. */
    CameraScript ends(Ending how, long afterFrames) {
        ending = how;
        endingAfter = afterFrames;
        return this;
    }

    /** A troubled session sends packets that are well formed and pictures that are not, after so many frames. */
    CameraScript noise(long afterFrames) {
        noiseAfter = afterFrames;
        return this;
    }

    /** The first session goes on with the pictures of another clip after so many frames, under the same track; later ones have and announce that clip. */
    CameraScript codecChanges(Path other, long afterFrames) {
        nextClip = AccessUnits.of(other);
        nextClipAfter = afterFrames;
        return this;
    }

    /** A troubled session's packets get lost. */
    CameraScript loses(Loss packets) {
        loss = packets;
        return this;
    }

    /** Runs the camera. */
    ScriptedCamera start() {
        return new ScriptedCamera(this);
    }
}
