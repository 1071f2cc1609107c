// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ReaperTest {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30);

    @Test
    void whatIsNotDoneYetIsAskedAgainUntilItIs() {
        AtomicInteger attempts = new AtomicInteger();
        Reaper.Pending pending = Reaper.of("test-again").submit("a thing", () -> attempts.incrementAndGet() == 5);
        assertTrue(pending.await(PATIENCE));
        assertEquals(5, attempts.get());
    }

    @Test
    void whatHangsInOneLaneDelaysNoOther() {
        CountDownLatch end = new CountDownLatch(1);
        Reaper.Pending hung = Reaper.of("test-hung").submit("what hangs", () -> awaitQuietly(end));
        assertTrue(Reaper.of("test-other").submit("another", () -> true).await(PATIENCE));
        assertFalse(hung.isReleased());
        end.countDown();
        assertTrue(hung.await(PATIENCE));
    }

    @Test
    void whatThrowsIsGivenUpAndTheOthersGoOn() {
        AtomicInteger attempts = new AtomicInteger();
        AtomicBoolean ready = new AtomicBoolean();
        Reaper reaper = Reaper.of("test-throws");
        Reaper.Pending broken = reaper.submit("what throws", () -> {
            attempts.incrementAndGet();
            throw new AssertionError("cannot be released");
        });
        Reaper.Pending whole = reaper.submit("another", ready::get);
        assertTrue(broken.await(PATIENCE));
        ready.set(true);
        assertTrue(whole.await(PATIENCE));
        assertEquals(1, attempts.get());
    }

    @Test
    void itsThreadEndsWithTheLastRemainsAndBeginsWithTheNext() throws InterruptedException {
        Reaper reaper = Reaper.of("test-thread");
        for (int round = 0; round < 3; round++) {
            assertTrue(reaper.submit("a thing", () -> true).await(PATIENCE));
            awaitNoThread("cuframes-reaper-test-thread");
        }
    }

    @Test
    void anInterruptIsKeptForTheCaller() {
        Thread.currentThread().interrupt();
        assertTrue(Reaper.of("test-interrupt").submit("a thing", () -> true).await(PATIENCE));
        assertTrue(Thread.interrupted());
    }

    private static void awaitNoThread(String name) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE;
        while (Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals(name))) {
            assertTrue(System.nanoTime() - deadline < 0, name + " does not end");
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private static boolean awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return true;
    }
}
