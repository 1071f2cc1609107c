// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY16LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_GRAY8;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NV12;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_P010LE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGBA;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV444P;

import io.cuframes.ColorInfo;
import io.cuframes.Frame;
import io.cuframes.FrameFormat;
import io.cuframes.PixelFormat;
import io.cuframes.Plane;
import io.cuframes.PlaneLayout;
import io.cuframes.WritableFrame;
import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerPointer;

/** Where a picture in host memory is and what it is like, as FFmpeg wants to be told; the memory is somebody else's. Set anew for each use. */
final class HostPicture implements AutoCloseable {
    private static final int PLANES = 4;

    private final NativeAddress[] addresses = new NativeAddress[PLANES];
    private final PointerPointer<BytePointer> data = new PointerPointer<>(PLANES);
    private final IntPointer pitches = new IntPointer(PLANES);
    private int format;
    private int width;
    private int height;
    private ColorInfo color = ColorInfo.UNKNOWN;

    HostPicture() {
        for (int i = 0; i < PLANES; i++) {
            addresses[i] = new NativeAddress();
        }
    }

    /** FFmpeg's number of a format. */
    static int ffmpegFormat(PixelFormat format) {
        return switch (format) {
            case NV12 -> AV_PIX_FMT_NV12;
            case P010 -> AV_PIX_FMT_P010LE;
            case YUV420P -> AV_PIX_FMT_YUV420P;
            case YUV444P -> AV_PIX_FMT_YUV444P;
            case RGB24 -> AV_PIX_FMT_RGB24;
            case RGBA -> AV_PIX_FMT_RGBA;
            case GRAY8 -> AV_PIX_FMT_GRAY8;
            case GRAY16 -> AV_PIX_FMT_GRAY16LE;
        };
    }

    /** Begins a picture: its planes follow. */
    HostPicture is(int newFormat, int newWidth, int newHeight, ColorInfo newColor) {
        format = newFormat;
        width = newWidth;
        height = newHeight;
        color = newColor;
        for (int i = 0; i < PLANES; i++) {
            data.put(i, (BytePointer) null);
            pitches.put(i, 0);
        }
        return this;
    }

    HostPicture plane(int index, long address, int pitch) {
        data.put(index, addresses[index].at(address));
        pitches.put(index, pitch);
        return this;
    }

    /** A frame that lies in one block, with the offsets and pitches of its format. */
    HostPicture laidOut(FrameFormat layout, MemorySegment block) {
        is(ffmpegFormat(layout.pixelFormat()), layout.width(), layout.height(), layout.color());
        int index = 0;
        for (PlaneLayout plane : layout.planes()) {
            plane(index++, block.address() + plane.offset(), plane.pitch());
        }
        return this;
    }

    /**
     * A frame of a ring in host memory, where it is. Of its last plane nobody knows what follows: unless its rows end early, it is copied.
     *
     * @param scratch for that copy
     */
    HostPicture inPlace(Frame frame, Scratch scratch) {
        FrameFormat layout = frame.format();
        is(ffmpegFormat(layout.pixelFormat()), layout.width(), layout.height(), layout.color());
        for (int i = 0; i < frame.planeCount(); i++) {
            Plane plane = frame.plane(i);
            boolean hasSlack =
                    i < frame.planeCount() - 1 || plane.pitch() - plane.layout().rowBytes() >= Scratch.SLACK;
            MemorySegment bytes = hasSlack ? plane.segment() : scratch.copyOf(plane.segment());
            plane(i, bytes.address(), plane.pitch());
        }
        return this;
    }

    /** A slot of a ring in host memory, where it is. */
    HostPicture inPlace(WritableFrame slot, FrameFormat layout) {
        is(ffmpegFormat(layout.pixelFormat()), layout.width(), layout.height(), layout.color());
        for (int i = 0; i < layout.planes().size(); i++) {
            plane(i, slot.plane(i).segment().address(), slot.plane(i).pitch());
        }
        return this;
    }

    int format() {
        return format;
    }

    int width() {
        return width;
    }

    int height() {
        return height;
    }

    ColorInfo color() {
        return color;
    }

    PointerPointer<BytePointer> data() {
        return data;
    }

    IntPointer pitches() {
        return pitches;
    }

    @Override
    public void close() {
        Steps.runAll(pitches::close, data::close);
    }
}
