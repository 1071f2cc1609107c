// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.CudaException;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.internal.cuda.Cuda;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A publisher or a reader that loses its CUDA context by a kernel of its own, told what to do line by line: {@code publish} or {@code take} a frame,
 * {@code lose}, {@code close}. Answers each line with one; {@code lose} with {@code lost STATUS} once the library throws.
 */
public final class LosingProcess {
    private static final Duration LONG = Duration.ofHours(1);
    private static final int ILLEGAL_ADDRESS = 700;

    private LosingProcess() {}

    /** One of the two. */
    private interface Role {
        void transfer();

        /** Queues the kernel, and what depends on it. */
        void strayBefore(Runnable kernel);

        /** Waits for the GPU until that throws. */
        void await();

        void close();
    }

    /** Arguments: publisher or reader, key, socket directory, transport. */
    public static void main(String[] args) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Path directory = Path.of(args[2]);
        Role role = args[0].equals("publisher")
                ? publisher(Publisher.builder(args[1])
                        .socketDirectory(directory)
                        .transport(Transport.valueOf(args[3]))
                        .size(320, 180)
                        .open())
                : reader(Subscriber.builder(args[1]).socketDirectory(directory).open());
        Cuda.useDevice(0);
        System.out.println("ready");
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            switch (line) {
                case "lose" -> System.out.println("lost " + status(() -> lose(role)));
                case "close" -> System.out.println("closed " + status(role::close));
                default -> {
                    role.transfer();
                    System.out.println("done");
                }
            }
        }
    }

    private static void lose(Role role) {
        if (Cuda.device(0).name().equals(CudaStandIn.DEVICE_NAME)) {
            role.strayBefore(() -> CudaStandIn.loseDevice(ILLEGAL_ADDRESS));
        } else {
            GpuKernels kernels = new GpuKernels();
            role.strayBefore(() -> kernels.stray(Cuda.createStream()));
        }
        role.await();
    }

    private static String status(Runnable call) {
        try {
            call.run();
            return "without error";
        } catch (CudaException e) {
            return e.status() + " " + e.isContextLost();
        }
    }

    private static Role publisher(Publisher publisher) {
        return new Role() {
            @Override
            public void transfer() {
                try (WritableFrame frame = publisher.acquire()) {
                    frame.publish(1);
                }
                while (publisher.announced() < publisher.published()) {
                    Thread.onSpinWait();
                }
            }

            @Override
            public void strayBefore(Runnable kernel) {
                kernel.run();
            }

            @Override
            public void await() {
                while (true) {
                    publisher.setIdle(true);
                }
            }

            @Override
            public void close() {
                publisher.close();
            }
        };
    }

    private static Role reader(Subscriber subscriber) {
        return new Role() {
            private Frame taken;

            @Override
            public void transfer() {
                taken = subscriber.next(LONG);
            }

            // The lease is left to a GPU that does not end it, unless it is quick.
            @Override
            public void strayBefore(Runnable kernel) {
                kernel.run();
                try {
                    taken.closeOn(subscriber.stream());
                } catch (CudaException e) {
                    return; // it is lost already, and the frame still open
                }
            }

            @Override
            public void await() {
                subscriber.next(LONG);
            }

            @Override
            public void close() {
                subscriber.close();
            }
        };
    }
}
