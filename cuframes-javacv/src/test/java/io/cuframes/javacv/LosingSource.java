// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.CudaException;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.GpuKernels;
import java.nio.file.Path;

/** A process whose GPU decodes a clip without end, until a kernel of its own reads where nothing is. Prints what the source throws then, and at its close. */
public final class LosingSource {
    private static final int FRAMES_BEFORE = 30;

    private LosingSource() {}

    /** Arguments: clip, key, socket directory, transport. */
    public static void main(String[] args) {
        VideoSource source = VideoSource.builder(args[0])
                .decoder(VideoSource.Decoder.NVDEC)
                .loop(true)
                .open();
        source.awaitFrame();
        Publisher publisher = Publisher.builder(args[1])
                .size(source.format().width(), source.format().height())
                .color(source.format().color())
                .transport(Transport.valueOf(args[3]))
                .socketDirectory(Path.of(args[2]))
                .open();
        for (int i = 0; i < FRAMES_BEFORE; i++) {
            source.publishNext(publisher);
        }
        Cuda.useDevice(0);
        new GpuKernels().stray(Cuda.createStream());
        System.out.println("source "
                + failure(() -> {
                    while (true) {
                        source.publishNext(publisher);
                    }
                }));
        System.out.println("source closed " + failure(source::close));
        System.out.println("publisher closed " + failure(publisher::close));
        System.exit(0); // what is left of the context does not matter
    }

    private static String failure(Runnable call) {
        try {
            call.run();
            return "without error";
        } catch (CudaException e) {
            return e.status() + " " + e.isContextLost() + " " + e.isPassing();
        } catch (RuntimeException e) {
            return e.toString();
        }
    }
}
