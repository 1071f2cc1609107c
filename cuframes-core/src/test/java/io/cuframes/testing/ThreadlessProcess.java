// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.AsyncSubscriber;
import io.cuframes.CuframesException;
import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.stream.Stream;

/**
 * A process that may have no more threads, and opens what needs one. To be started under a low limit. Says what came of each, what stayed behind, and
 * whether it works once there are threads again.
 */
public final class ThreadlessProcess {
    private static final int ENOUGH = 5000;

    private final String key;
    private final Path directory;

    private ThreadlessProcess(String key, Path directory) {
        this.key = key;
        this.directory = directory;
    }

    /** Argument: a key. */
    public static void main(String[] args) throws Exception {
        Path directory = Files.createTempDirectory("cuframes-threadless");
        try (Publisher live =
                new ThreadlessProcess(args[0] + "-live", directory).publisher().open()) {
            new ThreadlessProcess(args[0], directory).run(live.key());
        }
        Files.delete(directory);
        System.out.println("end");
    }

    private void run(String liveKey) throws Exception {
        attempts(liveKey); // links what they take
        List<String> before = remains();
        CountDownLatch end = new CountDownLatch(1);
        List<Thread> hoard = new ArrayList<>();
        hoardThreads(hoard, end);
        List<String> outcomes = new ArrayList<>();
        try {
            outcomes.addAll(attempts(liveKey));
        } finally {
            end.countDown();
        }
        for (Thread thread : hoard) {
            thread.join();
        }
        outcomes.forEach(System.out::println);
        List<String> after = remains();
        System.out.println(after.equals(before) ? "left nothing" : "left " + after + " instead of " + before);
        attempts(liveKey).forEach(System.out::println);
    }

    private static void hoardThreads(List<Thread> hoard, CountDownLatch end) {
        try {
            while (hoard.size() < ENOUGH) {
                Thread thread = new Thread(null, () -> awaitQuietly(end), "hoard", 1 << 16);
                thread.start();
                hoard.add(thread);
            }
            throw new IllegalStateException("threads do not run out");
        } catch (OutOfMemoryError e) {
            System.out.println("out of threads");
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(key)
                .socketDirectory(directory)
                .transport(Transport.HOST)
                .size(64, 64);
    }

    private List<String> attempts(String liveKey) throws InterruptedException {
        return List.of(
                "publisher " + publisherOutcome(),
                "handler " + handlerOutcome(liveKey),
                "receiver " + receiverOutcome(liveKey));
    }

    private String publisherOutcome() {
        try (Publisher publisher = publisher().open();
                Subscriber subscriber =
                        Subscriber.builder(key).socketDirectory(directory).open()) {
            return subscriber.epoch() == publisher.epoch() ? "works" : "reads another";
        } catch (OutOfMemoryError | CuframesException e) {
            return e.getClass().getSimpleName();
        }
    }

    private String handlerOutcome(String liveKey) {
        try (AsyncSubscriber subscriber = Subscriber.builder(liveKey)
                .socketDirectory(directory)
                .connectTimeout(Duration.ofSeconds(20))
                .start(frame -> {})) {
            return subscriber.isRunning() ? "works" : "is over";
        } catch (OutOfMemoryError | CuframesException e) {
            return e.getClass().getSimpleName();
        }
    }

    private String receiverOutcome(String liveKey) throws InterruptedException {
        CountDownLatch told = new CountDownLatch(1);
        List<String> calls = new ArrayList<>();
        Subscriber.builder(liveKey).socketDirectory(directory).toFlowPublisher().subscribe(new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                calls.add("works");
                if (!Thread.currentThread().getName().equals("main")) {
                    subscription.cancel();
                    told.countDown();
                }
            }

            @Override
            public void onNext(Frame frame) {
                frame.close();
            }

            @Override
            public void onError(Throwable failure) {
                calls.set(0, failure.getClass().getSimpleName());
                told.countDown();
            }

            @Override
            public void onComplete() {}
        });
        told.await();
        return calls.getFirst();
    }

    /** Once the threads of what was closed have ended. */
    private List<String> remains() throws IOException, InterruptedException {
        while (names().anyMatch(name -> name.contains(key) && name.endsWith("-reader"))) {
            Thread.sleep(1);
        }
        try (Stream<Path> sockets = Files.list(directory);
                Stream<Path> segments = Files.list(Path.of("/dev/shm"))) {
            return Stream.of(
                            StreamFixture.descriptors().stream(),
                            StreamFixture.mappings().stream().map(line -> line.replaceAll("^\\S+", "")),
                            Stream.concat(
                                            sockets,
                                            segments.filter(
                                                    path -> path.toString().contains(key)))
                                    .map(Path::toString),
                            names().filter(name -> name.contains(key)))
                    .flatMap(each -> each)
                    .sorted()
                    .toList();
        }
    }

    private static Stream<String> names() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName);
    }
}
