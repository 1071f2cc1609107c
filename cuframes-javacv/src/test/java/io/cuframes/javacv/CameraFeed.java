// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Sends one session's video at its pace, and does to it what the script says. For one thread. */
final class CameraFeed implements LoopbackListener.Task {
    private static final long SECOND = 1_000_000_000;
    private static final int NOISE_BYTES = 800;

    /** Farther from any number in use than a receiver takes for loss or disorder: RFC 3550, appendix A.1. */
    private static final int SEQUENCE_AFTER_RESTART = 40_000;

    private final ScriptedCamera camera;
    private final CameraScript script;
    private final RtspConversation conversation;
    private final RtpCarrier track;
    private final CountDownLatch over;
    private final AccessUnits clip;
    private final boolean troubled;
    private final RtpPackets packets;
    private final Random random = new Random(1);
    private long firstTimestamp;
    private long position;
    private long reportedAt;
    private long sentPackets;
    private long sentBytes;

    /** A feed that ends with {@code over}; {@code session} counts from 1. */
    CameraFeed(
            ScriptedCamera camera, RtspConversation conversation, RtpCarrier track, int session, CountDownLatch over) {
        this.camera = camera;
        this.script = camera.script();
        this.conversation = conversation;
        this.track = track;
        this.over = over;
        this.clip = camera.clip();
        this.troubled = session <= script.troubledSessions;
        this.packets = new RtpPackets(script.firstSequence);
        this.firstTimestamp = script.firstTimestamp;
        this.position = camera.firstPosition();
    }

    @Override
    public void run() throws IOException, InterruptedException {
        if (!over.await(script.videoAfter.toMillis(), TimeUnit.MILLISECONDS)) {
            send();
        }
    }

    private void send() throws IOException, InterruptedException {
        double perSecond = script.pace > 0 ? script.pace : script.fps;
        long start = System.nanoTime();
        for (long frame = 0; script.loop || position < clip.size(); frame++) {
            long due = start + Math.round(frame * SECOND / perSecond);
            if (over.await(due - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return;
            }
            if (troubled && frame == script.endingAfter) {
                end();
                return;
            }
            sendFrame(frame);
        }
    }

    private void sendFrame(long frame) throws IOException {
        if (troubled && frame == script.restartAt) {
            packets.restart(SEQUENCE_AFTER_RESTART);
            firstTimestamp = script.firstTimestamp - script.ticks.applyAsLong(frame);
        }
        long timestamp = firstTimestamp + script.ticks.applyAsLong(frame);
        if (frame == 0 || System.nanoTime() - reportedAt > SECOND) {
            reportedAt = System.nanoTime();
            track.rtcp(RtcpPackets.senderReport(
                    RtpPackets.VIDEO_SOURCE, Instant.now(), timestamp, sentPackets, sentBytes));
        }
        List<byte[]> cut = picture(frame, timestamp);
        for (int i = 0; i < cut.size(); i++) {
            if (!troubled || !script.loss.drops(frame, i, cut.size())) {
                track.rtp(cut.get(i));
            }
            sentPackets++;
            sentBytes += cut.get(i).length;
        }
        position++;
        camera.sent(position);
    }

    private List<byte[]> picture(long frame, long timestamp) {
        if (camera.codecChanges(frame)) {
            AccessUnits next = script.nextClip;
            return packets.of(next, next.get(frame - script.nextClipAfter), timestamp);
        }
        if (troubled && frame >= script.noiseAfter) {
            byte[] noise = new byte[NOISE_BYTES];
            random.nextBytes(noise);
            for (int i = 0; i < noise.length; i++) {
                noise[i] |= 1; // no zeros, which would make start codes
            }
            return packets.of(clip, clip.noise(noise), timestamp);
        }
        return packets.of(clip, clip.get(position), timestamp);
    }

    private void end() throws IOException {
        switch (script.ending) {
            case SILENCE -> conversation.fallSilent();
            case FIN -> conversation.finish();
            case RST -> conversation.reset();
            case BYE -> track.rtcp(RtcpPackets.bye(RtpPackets.VIDEO_SOURCE));
            case TEARDOWN -> {
                conversation.requestTeardown();
                conversation.finish();
            }
        }
    }
}
