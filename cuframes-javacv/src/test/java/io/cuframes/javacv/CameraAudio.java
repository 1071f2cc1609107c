// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.IOException;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Sends random bytes as a session's audio, a packet every 40 ms, until the session ends. */
final class CameraAudio implements LoopbackListener.Task {
    private static final int PACKET_MILLIS = 40;
    private static final int PACKET_BYTES = 320;

    private final CameraScript.Audio kind;
    private final RtpCarrier track;
    private final CountDownLatch over;

    CameraAudio(CameraScript.Audio kind, RtpCarrier track, CountDownLatch over) {
        this.kind = kind;
        this.track = track;
        this.over = over;
    }

    @Override
    public void run() throws IOException, InterruptedException {
        int type = kind == CameraScript.Audio.PCMU ? CameraDescription.PCMU_TYPE : CameraDescription.AAC_TYPE;
        RtpPackets packets = new RtpPackets(1);
        Random random = new Random(1);
        byte[] payload = new byte[PACKET_BYTES];
        for (long time = 0; !over.await(PACKET_MILLIS, TimeUnit.MILLISECONDS); time += PACKET_BYTES) {
            random.nextBytes(payload);
            track.rtp(packets.packet(type, false, time, RtpPackets.AUDIO_SOURCE, payload));
        }
    }
}
