// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cuframes.CuframesException;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.PublisherGoneException;
import io.cuframes.Subscriber;
import io.cuframes.SubscriberMode;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Every block of Java in the documents compiles, runs, and does something. */
class DocumentationTest {
    private static final List<Path> DOCUMENTS = List.of(Path.of("../docs/java-api.md"));
    private static final String SOCKET_DIRECTORY = "cuframes.socketDir";

    /** So that builds that run at the same time do not meet. */
    private static final String KEY = "docs-" + ProcessHandle.current().pid();

    @TempDir
    static Path directory;

    @BeforeAll
    static void useOwnSockets() {
        System.setProperty(SOCKET_DIRECTORY, directory.toString());
    }

    @AfterAll
    static void forgetThem() {
        System.clearProperty(SOCKET_DIRECTORY);
    }

    @TestFactory
    List<DynamicTest> everyBlockRuns() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (Path document : DOCUMENTS) {
            for (CodeBlock block : CodeBlock.of(document)) {
                String name = document.getFileName() + ":" + block.line();
                tests.add(DynamicTest.dynamicTest(name, () -> run(block, tests.size())));
            }
        }
        assertTrue(tests.size() > 5, "the documents are where they were");
        return tests;
    }

    private static void run(CodeBlock block, int number) throws Exception {
        Path target = Files.createTempDirectory(directory, "block" + number);
        CodeBlock unique = new CodeBlock(
                block.document(),
                block.line(),
                block.how(),
                block.code().replace("\"cam1\"", "\"" + KEY + "\"").replace("cuframes://cam1", "cuframes://" + KEY));
        BlockCompiler.Runner runner = BlockCompiler.compile(unique, target);
        Given.begin();
        switch (block.how()) {
            case ALONE -> runner.run();
            case BESIDE_A_PUBLISHER -> besideAPublisher(Transport.HOST, runner);
            case BESIDE_A_SUBSCRIBER -> besideASubscriber(runner);
            case ON_A_GPU -> {
                assumeTrue(hasGpu(), "compiled; to be run it needs a GPU");
                besideAPublisher(Transport.CUDA_IPC, runner);
            }
        }
        assertTrue(Given.uses() > 0, "the block uses nothing");
    }

    private static boolean hasGpu() {
        try (Publisher probe = Publisher.builder(KEY + "-probe")
                .transport(Transport.CUDA_IPC)
                .size(64, 64)
                .open()) {
            return probe.transport().isDevice();
        } catch (CuframesException e) {
            return false;
        }
    }

    private static void besideAPublisher(Transport transport, BlockCompiler.Runner runner) throws Exception {
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
