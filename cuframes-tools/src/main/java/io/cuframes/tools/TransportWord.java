// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.Transport;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@link Transport}, in the words of the command line. */
final class TransportWord implements ITypeConverter<Transport> {
    @Override
    public Transport convert(String word) {
        for (Transport transport : Transport.values()) {
            if (of(transport).equals(word)) {
                return transport;
            }
        }
        throw new TypeConversionException("\"" + word + "\" is not one of auto, cuda-vmm, cuda-ipc, host");
    }

    static String of(Transport transport) {
        return switch (transport) {
            case AUTO -> "auto";
            case HOST -> "host";
            case CUDA_IPC -> "cuda-ipc";
            case CUDA_VMM -> "cuda-vmm";
        };
    }
}
