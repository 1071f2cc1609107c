// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX;
import static org.bytedeco.ffmpeg.global.avcodec.AV_HWACCEL_FLAG_UNSAFE_OUTPUT;
import static org.bytedeco.ffmpeg.global.avcodec.av_codec_is_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.av_codec_iterate;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_hw_config;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AV_HWDEVICE_TYPE_CUDA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_CUDA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NONE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUVJ420P;
import static org.bytedeco.ffmpeg.global.avutil.av_buffer_ref;
import static org.bytedeco.ffmpeg.global.avutil.av_buffer_unref;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;
import static org.bytedeco.ffmpeg.global.avutil.av_hwdevice_ctx_create;
import static org.bytedeco.ffmpeg.global.avutil.av_hwframe_transfer_data;

import io.cuframes.CuframesException;
import io.cuframes.DevicePtr;
import io.cuframes.ErrorCode;
import io.cuframes.Plane;
import io.cuframes.WritableFrame;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVCodecHWConfig;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVBufferRef;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVHWFramesContext;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Decodes on the GPU, in the device's primary context, so that its frames' addresses are those of cudart. Its work and the copies from its
 * frames are ordered by the legacy default stream.
 *
 * <p>A frame is a surface that the driver has chosen and mapped (FFmpeg's {@code nvdec_retrieve_data} calls {@code cuvidMapVideoFrame}): NVDEC
 * writes to no memory of ours. So one copy from the surface to the slot is the least there can be. A pool of our own slots, given to FFmpeg as
 * {@code hw_frames_ctx}, would not save it: FFmpeg takes frames from such a pool only to copy the surface into them itself ({@code
 * av_frame_make_writable} at the end of {@code nvdec_retrieve_data}), and the flag below is what spares that copy. The {@code _cuvid} decoders copy
 * likewise ({@code cuvid_output_frame}).
 */
final class NvdecDecoder implements FrameDecoder {
    /**
     * {@code AV_CUDA_USE_CURRENT_CONTEXT} of libavutil/hwcontext_cuda.h. Asked for the primary context itself, FFmpeg refuses one that is in use
     * already with other scheduling flags than its own, which is any that cudart has made.
     */
    private static final int USE_CURRENT_CONTEXT = 2;

    /** Surfaces that are out of the decoder's hands: the frame at hand, the one whose copy is under way, and one to spare. */
    private static final int EXTRA_SURFACES = 3;

    private static final long LEGACY_DEFAULT_STREAM = 0;

    /**
     * FFmpeg asks which of the formats a stream can be decoded to is wanted. One callback serves all decoders: JavaCPP has room for ten in a
     * process, and a static one is never collected.
     */
    private static final class WantCuda extends AVCodecContext.Get_format_AVCodecContext_IntPointer {
        static final WantCuda INSTANCE = new WantCuda();

        /** Decoders, by their contexts' addresses, that were not offered CUDA: NVDEC cannot do their stream. */
        static final Set<Long> REFUSED = ConcurrentHashMap.newKeySet();

        @Override
        public int call(AVCodecContext context, IntPointer formats) {
            for (int i = 0; formats.get(i) != AV_PIX_FMT_NONE; i++) {
                if (formats.get(i) == AV_PIX_FMT_CUDA) {
                    return AV_PIX_FMT_CUDA;
                }
            }
            REFUSED.add(context.address());
            return AV_PIX_FMT_NONE;
        }
    }

    private final String codecName;
    private final PrimaryContext context;
    private final AVBufferRef device;
    private final CodecContext codec;
    private final AVFrame downloaded;
    private final Nv12Converter hostCopy;
    private String refusal;
    private boolean refusalMayPass;
    private int surfacesHeight;
    private long surfaceBytes;

    /**
     * Prepares a device to decode the demuxer's stream.
     *
     * @throws CuframesException code CUDA if the device is not there, UNSUPPORTED if NVDEC does not know the codec or its pixel format
     */
    NvdecDecoder(Demuxer demuxer, int ordinal) {
        codecName = demuxer.codecName();
        AVCodec decoder = decoderOf(demuxer.parameters().codec_id());
        int format = demuxer.parameters().format();
        if (decoder == null) {
            throw new CuframesException(ErrorCode.UNSUPPORTED, "NVDEC does not decode " + codecName);
        }
        if (format != AV_PIX_FMT_NONE
                && format != AV_PIX_FMT_YUV420P
                && format != AV_PIX_FMT_YUVJ420P
                && format != AV_PIX_FMT_NV12) {
            throw notNv12(Nv12Converter.name(format));
        }
        context = retainContext(ordinal);
        device = new AVBufferRef(null);
        CodecContext opened = null;
        AVFrame frame = null;
        try {
            openDevice(ordinal);
            opened = new CodecContext(demuxer, decoder, this::configure);
            frame = Ffmpeg.allocated(av_frame_alloc(), "a frame");
            hostCopy = new Nv12Converter();
        } catch (RuntimeException | Error e) {
            closeAfter(e, frame, opened);
            throw e;
        }
        codec = opened;
        downloaded = frame;
    }

    /** What the constructor has made when it fails. */
    private void closeAfter(Throwable failure, AVFrame frame, CodecContext opened) {
        Steps.runAllAfter(
                failure,
                () -> av_frame_free(frame),
                () -> {
                    if (opened != null) {
                        opened.close();
                    }
                },
                () -> av_buffer_unref(device),
                context::close);
    }

    private CuframesException notNv12(String format) {
        return new CuframesException(
                ErrorCode.UNSUPPORTED,
                "the " + codecName + " stream is " + format
                        + ", which NVDEC does not give as NV12, the only format that this source publishes: decode on the CPU, which converts");
    }

    private void configure(AVCodecContext context) {
        context.hw_device_ctx(av_buffer_ref(device));
        context.get_format(WantCuda.INSTANCE);
        context.extra_hw_frames(EXTRA_SURFACES);
        // Frames are the decoder's own surfaces: without this FFmpeg copies each one first. "Unsafe" is to hold more
        // than the extra ones.
        context.hwaccel_flags(context.hwaccel_flags() | AV_HWACCEL_FLAG_UNSAFE_OUTPUT);
        context.thread_count(1); // decoding happens elsewhere; more threads would only hold frames back
    }

    /** The decoder of a codec that takes a CUDA device, which need not be FFmpeg's first choice (libdav1d is, for AV1). */
    private static AVCodec decoderOf(int codecId) {
        try (PointerPointer<Pointer> position = new PointerPointer<>(1)) {
            position.put(0, (Pointer) null);
            AVCodec candidate = av_codec_iterate(position);
            while (candidate != null) {
                if (candidate.id() == codecId && av_codec_is_decoder(candidate) != 0 && takesCuda(candidate)) {
                    return candidate;
                }
                candidate = av_codec_iterate(position);
            }
            return null;
        }
    }

    private static boolean takesCuda(AVCodec codec) {
        AVCodecHWConfig config = avcodec_get_hw_config(codec, 0);
        for (int i = 1; config != null; i++) {
            if (config.device_type() == AV_HWDEVICE_TYPE_CUDA
                    && config.pix_fmt() == AV_PIX_FMT_CUDA
                    && (config.methods() & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX) != 0
                    && !codec.name().getString().endsWith("_cuvid")) {
                return true;
            }
            config = avcodec_get_hw_config(codec, i);
        }
        return false;
    }

    private static PrimaryContext retainContext(int ordinal) {
        String reason = CudaDriver.whyUnavailable(ordinal);
        if (reason != null) {
            throw noDevice(ordinal, reason);
        }
        return new PrimaryContext(ordinal);
    }

    private void openDevice(int ordinal) {
        int status = context.whileCurrent(() -> av_hwdevice_ctx_create(
                device, AV_HWDEVICE_TYPE_CUDA, Integer.toString(ordinal), (AVDictionary) null, USE_CURRENT_CONTEXT));
        if (status < 0) {
            context.requireAlive();
            throw noDevice(ordinal, Ffmpeg.text(status));
        }
    }

    private static CuframesException noDevice(int ordinal, String reason) {
        return new CuframesException(
                ErrorCode.CUDA,
                "NVDEC needs CUDA device " + ordinal + ": " + reason + "; choose another device, or decode on the CPU");
    }

    @Override
    public VideoSource.Decoder kind() {
        return VideoSource.Decoder.NVDEC;
    }

    @Override
    public int send(AVPacket packet) {
        int status = codec.send(packet);
        if (status < 0) {
            noteFailure(status);
        }
        return status;
    }

    @Override
    public int receive(AVFrame frame) {
        int status = codec.receive(frame);
        if (status < 0) {
            noteFailure(status);
        } else if (frame.format() != AV_PIX_FMT_CUDA || softwareFormat(frame) != AV_PIX_FMT_NV12) {
            refusal = notNv12(Nv12Converter.name(
                            frame.format() == AV_PIX_FMT_CUDA ? softwareFormat(frame) : frame.format()))
                    .getMessage();
        } else {
            measureSurfaces(frame);
        }
        return status;
    }

    /**
     * FFmpeg has as many surfaces made for output as for decoding where frames are the decoder's own ({@code ulNumOutputSurfaces} in {@code
     * ff_nvdec_decode_init}); NV12 takes one and a half bytes for each byte of a luma row.
     */
    private void measureSurfaces(AVFrame frame) {
        if (surfacesHeight == frame.height()) {
            return;
        }
        AVHWFramesContext pool = new AVHWFramesContext(frame.hw_frames_ctx().data());
        surfacesHeight = frame.height();
        surfaceBytes = 2L * pool.initial_pool_size() * frame.linesize(0) * pool.height() * 3 / 2;
    }

    @Override
    public List<Long> threads() {
        return List.of(); // those of the driver serve the whole process
    }

    @Override
    public long deviceBytes() {
        return surfaceBytes;
    }

    private static int softwareFormat(AVFrame frame) {
        return new AVHWFramesContext(frame.hw_frames_ctx().data()).sw_format();
    }

    /** A lost context fails every packet, as damage does; only asking tells one from the other. */
    private void noteFailure(int status) {
        if (status != Ffmpeg.AGAIN && status != AVERROR_EOF) {
            context.requireAlive();
        }
        if (WantCuda.REFUSED.contains(codec.address())) {
            refusalMayPass = true;
            refusal = "NVDEC refused the " + codecName
                    + " stream: this GPU does not decode its profile or size, has no decoder free, or libnvcuvid.so.1 is not there (a container"
                    + " needs NVIDIA_DRIVER_CAPABILITIES with \"video\")";
        }
    }

    @Override
    public long damageReports() {
        return codec.damageReports();
    }

    @Override
    public String refusal() {
        return refusal;
    }

    @Override
    public boolean refusalMayPass() {
        return refusalMayPass;
    }

    @Override
    public void requireAlive() {
        context.requireAlive();
    }

    @Override
    public void flush() {
        codec.flush();
    }

    @Override
    public void copy(AVFrame frame, WritableFrame slot, boolean deviceRing) {
        VisiblePart part = VisiblePart.of(frame);
        if (deviceRing) {
            long luma = frame.data(0).address() + part.lumaOffset(frame.linesize(0));
            long chroma = frame.data(1).address() + part.chromaOffset(frame.linesize(1));
            slot.copyPlane(0, new DevicePtr(luma), frame.linesize(0), LEGACY_DEFAULT_STREAM);
            slot.copyPlane(1, new DevicePtr(chroma), frame.linesize(1), LEGACY_DEFAULT_STREAM);
            return;
        }
        copyToHost(frame, part, slot);
    }

    /** The transfer takes the whole surface along, with what is left and on top of the visible part. */
    private void copyToHost(AVFrame frame, VisiblePart part, WritableFrame slot) {
        if (downloaded.width() != frame.width() || downloaded.height() != frame.height()) {
            av_frame_unref(downloaded); // the transfer makes one that fits
        }
        int status = av_hwframe_transfer_data(downloaded, frame, 0);
        if (status < 0) {
            context.requireAlive();
            throw new CuframesException(
                    ErrorCode.CUDA, "copying a decoded frame to host memory failed: " + Ffmpeg.text(status));
        }
        Plane luma = slot.plane(0);
        Plane chroma = slot.plane(1);
        hostCopy.copy(
                downloaded,
                part.lumaOffset(downloaded.linesize(0)),
                part.chromaOffset(downloaded.linesize(1)),
                luma.width(),
                luma.height(),
                luma.segment().address(),
                luma.pitch(),
                chroma.segment().address(),
                chroma.pitch());
    }

    @Override
    public String conversion(int format) {
        return "";
    }

    @Override
    public void close() {
        WantCuda.REFUSED.remove(codec.address());
        Steps.runAll(
                hostCopy::close,
                () -> av_frame_free(downloaded),
                codec::close,
                () -> av_buffer_unref(device),
                context::close);
    }
}
