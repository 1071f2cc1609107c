// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Transport;
import io.cuframes.javacv.VideoSource;
import picocli.CommandLine.Option;

/** What does the decoding and where the frames go. */
final class DecodeOptions {
    @Option(
            names = "--transport",
            paramLabel = "auto|cuda-vmm|cuda-ipc|host",
            defaultValue = "auto",
            converter = TransportWord.class,
            description =
                    "Where the frames live. auto (the default): in device memory where there is a CUDA device, shared by a"
                            + " descriptor (cuda-vmm) if that works, else by handles (cuda-ipc); without a device in host"
                            + " memory.")
    Transport transport;

    @Option(
            names = "--decoder",
            paramLabel = "auto|nvdec|cpu",
            defaultValue = "auto",
            description = "auto (the default): NVDEC where it can decode the stream, else the CPU.")
    VideoSource.Decoder decoder;
}
