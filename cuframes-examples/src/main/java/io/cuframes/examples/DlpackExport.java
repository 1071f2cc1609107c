// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import io.cuframes.DlpackTensor;
import io.cuframes.Frame;
import io.cuframes.Subscriber;
import java.time.Duration;
import java.util.Arrays;

/**
 * A frame's luma plane as a tensor that PyTorch, CuPy, JAX or TensorRT take in place. What is handed over is an address; a consumer in this process
 * gets it through whatever binds it to Java. Argument: the key.
 */
public final class DlpackExport {
    private DlpackExport() {}

    public static void main(String[] args) {
        try (Subscriber subscriber = Subscriber.builder(args[0]).open();
                Frame frame = subscriber.next(Duration.ofSeconds(5))) {
            if (frame == null) {
                System.err.println("no frame within 5 s");
                return;
            }
            DlpackTensor luma = frame.dlpackY(); // nothing is copied
            System.out.println("shape " + Arrays.toString(luma.shape()) + ", strides " + Arrays.toString(luma.strides())
                    + ", " + luma.type() + " on " + luma.device());
            frame.close(); // the tensor keeps the lease
            long managed =
                    luma.handOver(DlpackTensor.NO_STREAM); // a DLManagedTensorVersioned*: give it to the consumer
            DlpackTensor.wrap(managed).close(); // what the consumer does in the end: its deleter ends the lease
        }
    }
}
