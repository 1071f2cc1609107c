// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.CuframesException;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.testing.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** Compiles and runs the Java of documents, with what it wants beside it. */
final class JavaBlocks {
    /** So that builds that run at the same time do not meet. */
    static final String KEY = "docs-" + ProcessHandle.current().pid();

    private JavaBlocks() {}

    /** Puts this process's key for that of the documents. */
    static String withOwnKey(String code) {
        return code.replace("\"cam1\"", "\"" + KEY + "\"").replace("cuframes://cam1", "cuframes://" + KEY);
    }

    static void run(CodeBlock block, Path directory) throws Exception {
        Path target = Files.createTempDirectory(directory, "block");
        CodeBlock unique = block.withCode(withOwnKey(block.code()));
        switch (block.how()) {
            case MODULE -> BlockCompiler.compileModule(unique, target);
            case PROGRAM -> BlockCompiler.compileProgram(unique, target).run();
            default -> runBody(unique, BlockCompiler.compile(unique, target));
        }
    }

    private static void runBody(CodeBlock block, BlockCompiler.Runner runner) throws Exception {
        Given.begin();
        switch (block.how()) {
            case ALONE -> runner.run();
            case BESIDE_A_PUBLISHER -> besideAPublisher(Transport.HOST, runner);
            case BESIDE_A_SUBSCRIBER -> besideASubscriber(runner);
            case ON_A_GPU -> {
                Needs.gpu(hasGpu(), "the block was compiled, and not run");
                besideAPublisher(Transport.CUDA_IPC, runner);
            }
            default -> throw new AssertionError(block.place() + " is no Java to be run");
        }
        assertTrue(Given.uses() > 0, "the block uses nothing");
    }

    static boolean hasGpu() {
        try (Publisher probe = Publisher.builder(KEY + "-probe")
                .transport(Transport.CUDA_IPC)
                .size(64, 64)
                .open()) {
            return probe.transport().isDevice();
        } catch (CuframesException e) {
            return false;
        }
    }

    static void besideAPublisher(Transport transport, BlockCompiler.Runner runner) throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        AtomicReference<RuntimeException> failure = new AtomicReference<>();
        Publisher publisher =
                Publisher.builder(KEY).transport(transport).size(512, 288).open();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                publish(publisher, done);
            } catch (RuntimeException e) {
                failure.set(e);
            }
        });
        try {
            runner.run();
        } finally {
            done.set(true);
            thread.join();
            publisher.close();
        }
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    private static void publish(Publisher publisher, AtomicBoolean done) {
        while (!done.get()) {
            try (WritableFrame frame = publisher.acquire()) {
                if (frame != null) {
                    frame.captureTimeNanos(System.currentTimeMillis() * 1_000_000)
                            .keyFrame(true)
                            .publish(System.nanoTime());
                }
            }
            java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
        }
    }

    /** Somebody else reads what the block publishes, and finds it. */
    private static void besideASubscriber(BlockCompiler.Runner runner) throws Exception {
        AtomicLong read = new AtomicLong();
        Thread thread = Thread.ofPlatform().start(() -> {
            try (Subscriber subscriber = Subscriber.builder(KEY)
                    .mode(SubscriberMode.STRICT_ORDER)
                    .connectTimeout(Duration.ofSeconds(20))
                    .open()) {
                while (true) {
                    try (Frame frame = subscriber.next(Duration.ofSeconds(20))) {
                        read.addAndGet(frame == null ? 0 : 1);
                    }
                }
            } catch (PublisherGoneException e) {
                // the block is through
            }
        });
        runner.run();
        thread.join(Duration.ofSeconds(30));
        assertTrue(read.get() > 0, "nobody could read what the block published");
    }
}
