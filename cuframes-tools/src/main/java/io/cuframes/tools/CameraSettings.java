// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.FrameFormat;
import io.cuframes.PublishPolicy;
import io.cuframes.Publisher;
import io.cuframes.TimeBase;
import io.cuframes.Transport;
import io.cuframes.javacv.VideoSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * What one camera is to be: where it comes from, how it is decoded, and how it is published.
 *
 * @param key the stream's name
 * @param address the URL, credentials and all: never for a text
 * @param ring slots
 * @param policy what happens where a strict reader has not read a slot that is needed
 * @param transport where the frames live
 * @param decoder where they are decoded
 * @param device the GPU
 * @param rtspTransport what RTP travels in
 * @param listen wait for a sender
 * @param loop begin a file again
 * @param realtime read a file at its pace
 * @param reconnect try again when the input is lost
 * @param openTimeout how long opening may take; null for the default of the input's kind
 * @param readTimeout how long the input may be silent; null for the default of its kind
 * @param dropDamaged hold back frames that are known to be damaged
 * @param maxFrames to end after; 0 for no end
 * @param maxSubscribers at a time
 * @param users who may read, besides the usual ones; null if not said
 * @param groups whose members may read; null if not said
 * @param onDemand decode only while somebody reads
 * @param inputOptions options of FFmpeg's for the input: values are never for a text
 * @param inputFormat the demuxer; null if FFmpeg is to find it
 * @param linger how long to go on after the last reader went
 */
record CameraSettings(
        String key,
        String address,
        int ring,
        PublishPolicy policy,
        Transport transport,
        VideoSource.Decoder decoder,
        int device,
        VideoSource.RtspTransport rtspTransport,
        boolean listen,
        boolean loop,
        boolean realtime,
        boolean reconnect,
        Duration openTimeout,
        Duration readTimeout,
        boolean dropDamaged,
        long maxFrames,
        int maxSubscribers,
        List<Integer> users,
        List<Integer> groups,
        boolean onDemand,
        Map<String, String> inputOptions,
        String inputFormat,
        Duration linger) {

    /** A builder of the camera's stream. */
    Publisher.Builder stream() {
        Publisher.Builder builder = Publisher.builder(key);
        if (users != null) {
            builder.allowUsers(numbers(users));
        }
        if (groups != null) {
            builder.allowGroups(numbers(groups));
        }
        return builder;
    }

    private static int[] numbers(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Opens the stream for frames of a format. */
    Publisher openStream(FrameFormat format, TimeBase timeBase, Path socketDirectory) {
        return stream()
                .size(format.width(), format.height())
                .format(format.pixelFormat())
                .color(format.color())
                .timeBase(timeBase)
                .slots(ring)
                .policy(policy)
                .maxSubscribers(maxSubscribers)
                .transport(transport)
                .device(device)
                .socketDirectory(socketDirectory)
                .open();
    }

    /** Opens the camera, while somebody wants it. */
    VideoSource openSource(BooleanSupplier demand, VideoSource.Listener listener) {
        VideoSource.Builder builder = VideoSource.builder(address);
        inputOptions.forEach(builder::inputOption);
        if (inputFormat != null) {
            builder.inputFormat(inputFormat);
        }
        if (openTimeout != null) {
            builder.openTimeout(openTimeout);
        }
        if (readTimeout != null) {
            builder.readTimeout(readTimeout);
        }
        return builder.decoder(decoder)
                .device(device)
                .rtspTransport(rtspTransport)
                .listen(listen)
                .loop(loop)
                .realtime(realtime)
                .reconnect(reconnect)
                .dropDamaged(dropDamaged)
                .demand(demand)
                .listener(listener)
                .open();
    }

    /** Without the address, which may hold a password. */
    @Override
    public String toString() {
        return "camera " + key;
    }

    /** Settings that may be said one by one, and taken over from camera to camera. Not thread-safe. */
    static final class Draft {
        int ring;
        PublishPolicy policy;
        Transport transport;
        VideoSource.Decoder decoder;
        int device;
        VideoSource.RtspTransport rtspTransport;
        boolean listen;
        boolean loop;
        boolean realtime;
        boolean reconnect;
        Duration openTimeout;
        Duration readTimeout;
        boolean dropDamaged;
        long maxFrames;
        int maxSubscribers;
        List<Integer> users;
        List<Integer> groups;
        boolean onDemand;
        Map<String, String> inputOptions = Map.of();
        String inputFormat;
        Duration linger;

        Draft copy() {
            Draft copy = new Draft();
            copy.ring = ring;
            copy.policy = policy;
            copy.transport = transport;
            copy.decoder = decoder;
            copy.device = device;
            copy.rtspTransport = rtspTransport;
            copy.listen = listen;
            copy.loop = loop;
            copy.realtime = realtime;
            copy.reconnect = reconnect;
            copy.openTimeout = openTimeout;
            copy.readTimeout = readTimeout;
            copy.dropDamaged = dropDamaged;
            copy.maxFrames = maxFrames;
            copy.maxSubscribers = maxSubscribers;
            copy.users = users;
            copy.groups = groups;
            copy.onDemand = onDemand;
            copy.inputOptions = inputOptions;
            copy.inputFormat = inputFormat;
            copy.linger = linger;
            return copy;
        }

        /** Adds options to those that are there; one of the same name takes the other's place. */
        void addInputOptions(Map<String, String> more) {
            Map<String, String> all = new LinkedHashMap<>(inputOptions);
            all.putAll(more);
            inputOptions = all;
        }

        CameraSettings of(String key, String address) {
            return new CameraSettings(
                    key,
                    address,
                    ring,
                    policy,
                    transport,
                    decoder,
                    device,
                    rtspTransport,
                    listen,
                    loop,
                    realtime,
                    reconnect,
                    openTimeout,
                    readTimeout,
                    dropDamaged,
                    maxFrames,
                    maxSubscribers,
                    users,
                    groups,
                    onDemand,
                    inputOptions,
                    inputFormat,
                    linger);
        }
    }
}
