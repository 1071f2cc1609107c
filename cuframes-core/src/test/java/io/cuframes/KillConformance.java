// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.fault.FaultPoint;
import io.cuframes.testing.Child;
import io.cuframes.testing.FramePattern;
import io.cuframes.testing.Leftovers;
import io.cuframes.testing.LivePublisher;
import io.cuframes.testing.Percentiles;
import io.cuframes.testing.PublisherProcess;
import io.cuframes.testing.RawReader;
import io.cuframes.testing.StreamFixture;
import io.cuframes.testing.SubscriberProcess;
import io.cuframes.testing.Survivor;
import io.cuframes.testing.Victims;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that are killed at every fault point, hundreds of them one after the other, beside others that live on: no frame is torn, no slot is lost, and
 * nothing stays behind. One subclass for each transport. {@code -Dcuframes.killRounds=N} says how many processes each test kills, at least one for each
 * point; {@code -Dcuframes.killSeed=N} which of their steps.
 */
abstract class KillConformance {
    private static final int WIDTH = 160;
    private static final int HEIGHT = 96;
    private static final int SLOTS = 4;
    private static final long SEED = Long.getLong("cuframes.killSeed", 1);

    /** A frame interval in which a busy machine gets a frame written and read by all. */
    private static final long INTERVAL_NANOS = 4_000_000;

    /** What a reader is promised to learn of a death within; reported, since the machine is busy here. */
    private static final long NOTICE_NANOS = 100_000_000;

    /** Whatever takes longer hangs. */
    private static final long HANGS_NANOS = 10_000_000_000L;

    /** Steps before any frame, those of the handshake, and those of the end: they come once, or twice. */
    private static final Set<FaultPoint> ONCE = EnumSet.range(FaultPoint.RING_MADE, FaultPoint.SERVER_STARTED);

    private static final Set<FaultPoint> ENDING = EnumSet.range(FaultPoint.ENDING, FaultPoint.REOPENING);
    private static final Set<FaultPoint> CONNECTING = EnumSet.range(FaultPoint.PLACE_OPENED, FaultPoint.READY_SENT);
    private static final Set<FaultPoint> GREETING = EnumSet.range(FaultPoint.PEER_ACCEPTED, FaultPoint.READY_READ);

    final Transport transport;
    final StreamFixture stream = new StreamFixture();
    private final int rounds;
    private final Random random = new Random(SEED);
    private final List<Child> children = new ArrayList<>();

    @TempDir
    Path rehearsals;

    KillConformance(Transport transport, int rounds) {
        this.transport = transport;
        this.rounds = Integer.getInteger("cuframes.killRounds", rounds);
    }

    @AfterEach
    void killChildren() {
        children.forEach(Child::close);
        stream.close();
    }

    /** What this process has of the transport's memory, in words that can be compared; nothing where descriptors and mappings say it all. */
    List<String> memory() {
        return List.of();
    }

    /** What victims rehearse with before their turn. */
    Transport rehearsal() {
        return transport;
    }

    private List<FaultPoint> points(FaultPoint.Side side) {
        return Stream.of(FaultPoint.values())
                .filter(point -> point.side() == side)
                .filter(point -> transport.isDevice() || point != FaultPoint.ANNOUNCING)
                .toList();
    }

    private int roundsFor(List<FaultPoint> points) {
        return Math.max(rounds, points.size());
    }

    /** The points in turn; every second round has the other mode, so the turns are such that each point gets both. */
    private static FaultPoint pointOf(int round, List<FaultPoint> points) {
        int laps = points.size() % 2 == 0 ? round / points.size() : 0;
        return points.get((round + laps) % points.size());
    }

    /** What befalls a victim at a point: two steps where another process must come between. */
    private String fault(FaultPoint point) {
        return switch (point) {
            case SLOT_RESTORED -> "LEASES_LOOKED_AT:" + anyOf(6) + ":STOP,SLOT_RESTORED:1:KILL";
            case LEASE_WITHDRAWN -> "FRAME_FOUND:" + anyOf(10) + ":STOP,LEASE_WITHDRAWN:1:KILL";
            default -> point + ":" + times(point) + ":KILL";
        };
    }

    private int times(FaultPoint point) {
        if (ONCE.contains(point) || ENDING.contains(point) || CONNECTING.contains(point)) {
            return 1;
        }
        if (GREETING.contains(point) || point == FaultPoint.SLEEPERS_WOKEN) {
            return anyOf(2);
        }
        return switch (point) {
            case SOCKET_LOST, PEER_RELEASED, PUBLISHER_LOST, EPOCH_BEGUN, DISCONNECTING, RING_UNMAPPED, ALL_UNMAPPED ->
                1;
            default -> anyOf(12);
        };
    }

    private int anyOf(int most) {
        return 1 + random.nextInt(most);
    }

    private static void await(BooleanSupplier condition, Supplier<String> what) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > HANGS_NANOS) {
                throw new AssertionError(what.get());
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** What this process and the file system have now. */
    private record Remains(List<String> descriptors, List<String> mappings, List<String> memory, List<Path> names) {}

    private Remains remains() {
        List<Path> names = new ArrayList<>(stream.remains());
        try (Stream<Path> files = Files.list(Path.of("/dev/shm"))) {
            files.filter(file -> file.toString().contains(stream.key()) && !names.contains(file))
                    .forEach(names::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // Numbers of descriptors and addresses of mappings are not compared: others of this process may have them by
        // now.
        return new Remains(
                StreamFixture.descriptors().stream()
                        .map(line -> line.replaceAll("^\\d+ -> |\\[\\d+]|#\\d+|control-(.*)-\\d+", "$1"))
                        .sorted()
                        .toList(),
                StreamFixture.mappings().stream()
                        .map(line -> line.replaceAll("^\\S+ (\\S+) .*(/\\S+).*", "$1 $2")
                                .replaceAll("#\\d+|-\\d+$", ""))
                        .sorted()
                        .toList(),
                memory(),
                names);
    }

    private void awaitRemains(Remains before, Supplier<String> when) {
        await(() -> remains().equals(before), () -> when.get() + ": " + remains() + " instead of " + before);
    }

    private static long killedNanos(String line, FaultPoint point) {
        String[] words = line.split(" ", -1);
        assertEquals("fault KILL " + point, String.join(" ", words[0], words[1], words[2]));
        return Long.parseLong(words[3]);
    }

    /** The victim's last line, and its end; when it was killed. One that stops first goes on once something was done. */
    private static long awaitDeath(Child victim, FaultPoint point, Runnable whileStopped) {
        String line = victim.answerThatBegins("fault ");
        if (line.startsWith("fault STOP")) {
            victim.awaitStop();
            whileStopped.run();
            victim.cont();
            line = victim.answerThatBegins("fault ");
        }
        long killed = killedNanos(line, point);
        assertEquals(128 + 9, victim.awaitExit());
        return killed;
    }

    private void report(String what, int count, long start, String figures) {
        System.out.printf(
                "kill rounds, %s, %s: %d in %.1f s; %s%n",
                transport, what, count, (System.nanoTime() - start) / 1e9, figures);
    }

    // Publishers

    private Publisher.Builder builder() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(transport)
                .slots(SLOTS)
                .size(WIDTH, HEIGHT);
    }

    @Test
    void aPublisherMayBeKilledAtAnyPoint() {
        List<FaultPoint> points = points(FaultPoint.Side.PUBLISHER);
        int count = roundsFor(points);
        Percentiles notices = new Percentiles();
        long start = System.nanoTime();
        Remains nothing = remains();
        Object[] arguments = {stream.key(), stream.directory(), transport, SLOTS, WIDTH, HEIGHT};
        long frames;
        try (Victims victims = new Victims(
                        count,
                        i -> fault(pointOf(i, points)),
                        rehearsals,
                        rehearsal(),
                        PublisherProcess.class,
                        arguments);
                Survivors survivors = new Survivors()) {
            awaitRemains(nothing, () -> "before the first round");
            for (int i = 0; i < count; i++) {
                FaultPoint point = pointOf(i, points);
                publisherRound(victims.next(), point, survivors, notices);
                awaitRemains(nothing, () -> "after the death of a publisher at " + point);
            }
            frames = survivors.frames();
        }
        assertEquals(nothing, remains());
        report(
                "publishers",
                count,
                start,
                frames + " frames of survivors checked; its readers learned of a death after " + notices + ", "
                        + notices.longerThan(NOTICE_NANOS) + " times after more than 100 ms");
        assertTrue(notices.count() > count / 2, "hardly any reader was connected");
        assertTrue(notices.max() < HANGS_NANOS, "a reader was not told: " + notices);
    }

    /** Two readers that follow the stream, one of each mode. They begin with a publisher that ends well. */
    private final class Survivors implements AutoCloseable {
        private final Survivor strict;
        private final Survivor newest;

        Survivors() {
            try (Publisher first = builder().open()) {
                strict = new Survivor(stream, SubscriberMode.STRICT_ORDER);
                newest = new Survivor(stream, SubscriberMode.NEWEST_ONLY);
                readAFrameOf(first);
            }
            awaitLoss();
        }

        List<Survivor> both() {
            return List.of(strict, newest);
        }

        void readAFrameOf(Publisher publisher) {
            await(() -> publisher.subscribers() == 2, () -> "survivors do not come");
            try (WritableFrame frame = publisher.acquire()) {
                new FramePattern(publisher.format()).write(frame, publisher.published() + 1);
                frame.publish(0);
            }
            for (Survivor survivor : both()) {
                await(() -> survivor.hasSeen(publisher.epoch(), publisher.published()), () -> "a frame is not seen");
            }
            requireWhole();
        }

        void awaitLoss() {
            for (Survivor survivor : both()) {
                await(() -> !survivor.isConnected(), () -> "a survivor does not learn of a publisher's end");
            }
        }

        void requireWhole() {
            both().forEach(survivor -> assertNull(survivor.fault()));
        }

        long frames() {
            return strict.frames() + newest.frames();
        }

        @Override
        public void close() {
            strict.close();
            newest.close();
            requireWhole();
        }
    }

    private void publisherRound(Child victim, FaultPoint point, Survivors survivors, Percentiles notices) {
        children.add(victim);
        if (point == FaultPoint.SEGMENT_LEFTOVER_REMOVED) {
            leaveLeftovers();
        }
        victim.tell("go");
        long killed = drive(victim, point);
        survivors.awaitLoss();
        for (Survivor survivor : survivors.both()) {
            if (survivor.lostNanos() > killed) { // otherwise it was not connected, or knew of the end before
                notices.add(survivor.lostNanos() - killed);
            }
        }
        List<Path> left = remains().names();
        Path draft =
                new StreamKey(stream.key()).draftPath(stream.directory()); // of a socket that never got the key's name
        assertTrue(
                Set.of(stream.segment(), stream.lock(), stream.socket(), draft).containsAll(left),
                "left behind: " + left);
        succeed(point, survivors);
        children.remove(victim);
    }

    private void leaveLeftovers() {
        try {
            Leftovers.leave(stream.key(), stream.directory());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Lets a publisher publish, and end, until it dies on the way; when that was. */
    private long drive(Child victim, FaultPoint point) {
        switch (point) {
            case SLOT_RESTORED -> {
                return restoreASlot(victim);
            }
            case PEER_RELEASED -> {
                assertEquals("ready " + transport, victim.answer());
                try (Subscriber leaver = subscriber().open()) {
                    assertEquals("subscribers 3", victim.ask("await 3"));
                    leaver.close();
                }
            }
            case SOCKET_LOST -> {
                assertEquals("ready " + transport, victim.answer());
                victim.tell("await 2\npublish 20"); // and lives on
                loseTheSocket();
            }
            case REOPENING -> victim.tell("await 2\npublish 20\nreopen RGB24 64 64\npublish 20\nclose");
            default -> victim.tell("await 2\npublish 40\nclose");
        }
        return awaitDeath(victim, point, () -> {});
    }

    private void loseTheSocket() {
        try {
            Files.delete(stream.socket());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Has a lease come between a writer's first look at a slot and its second. */
    private long restoreASlot(Child victim) {
        assertEquals("ready " + transport, victim.answer());
        try (RawReader reader = new RawReader(stream.socket(), SubscriberMode.NEWEST_ONLY, transport)) {
            reader.sayReady();
            victim.tell("await 3\npublish 40");
            return awaitDeath(victim, FaultPoint.SLOT_RESTORED, () -> {
                for (int slot = 0; slot < SLOTS; slot++) {
                    reader.sayLease(slot, 1);
                }
            });
        }
    }

    private Subscriber.Builder subscriber() {
        return Subscriber.builder(stream.key()).socketDirectory(stream.directory());
    }

    /** A publisher that takes the key over finds everything in order. */
    private void succeed(FaultPoint point, Survivors survivors) {
        try (Publisher successor = builder().open()) {
            survivors.readAFrameOf(successor);
            await(() -> countSlots(successor) == SLOTS, () -> "slots are lost after a death at " + point);
        }
        survivors.awaitLoss();
    }

    private static int countSlots(Publisher publisher) {
        List<WritableFrame> frames = new ArrayList<>();
        for (WritableFrame frame = publisher.acquire(); frame != null; frame = publisher.acquire()) {
            frames.add(frame);
        }
        frames.forEach(WritableFrame::close);
        return frames.size();
    }

    // Subscribers

    @Test
    void aSubscriberMayBeKilledAtAnyPoint() {
        List<FaultPoint> points = points(FaultPoint.Side.SUBSCRIBER);
        int count = roundsFor(points);
        long start = System.nanoTime();
        Remains nothing = remains();
        long frames;
        LivePublisher publisher = new LivePublisher(builder().open(), INTERVAL_NANOS);
        try (publisher;
                Victims newest = victims(count, points, 0, SubscriberMode.NEWEST_ONLY);
                Victims strict = victims(count, points, 1, SubscriberMode.STRICT_ORDER);
                Survivor one = new Survivor(stream, SubscriberMode.STRICT_ORDER);
                Survivor other = new Survivor(stream, SubscriberMode.NEWEST_ONLY)) {
            Crowd crowd = new Crowd(publisher, one, other);
            for (int i = 0; i < count; i++) {
                subscriberRound((i & 1) == 0 ? newest.next() : strict.next(), pointOf(i, points), crowd);
            }
            frames = one.frames() + other.frames();
        }
        awaitRemains(nothing, () -> "at the end");
        Percentiles durations = publisher.durations();
        report(
                "subscribers",
                count,
                start,
                frames + " frames of survivors checked; acquire and publish took the publisher " + durations + ", "
                        + durations.longerThan(INTERVAL_NANOS) + " times more than the frame interval of "
                        + INTERVAL_NANOS / 1_000_000 + " ms");
        assertTrue(durations.max() < HANGS_NANOS, "the publisher was held up: " + durations);
    }

    /** Every second of the victims. */
    private Victims victims(int count, List<FaultPoint> points, int first, SubscriberMode mode) {
        return new Victims(
                (count + 1 - first) / 2,
                i -> fault(pointOf(2 * i + first, points)),
                rehearsals,
                rehearsal(),
                SubscriberProcess.class,
                stream.key(),
                stream.directory(),
                mode,
                "reconnect");
    }

    /** Those that live on while others die. */
    private record Crowd(LivePublisher publisher, Survivor strict, Survivor newest) {
        void requireWhole() {
            assertNull(strict.fault());
            assertNull(newest.fault());
        }

        void awaitFrames() {
            long seen = strict.frames();
            long seenToo = newest.frames();
            await(() -> strict.frames() > seen && newest.frames() > seenToo, () -> "survivors get no more frames");
        }

        /** Until the publisher has used each slot anew, and more than once. */
        void awaitLaps() {
            long published = publisher.publisher().published();
            await(
                    () -> publisher.publisher().published() > published + 2 * SLOTS,
                    () -> "the publisher waits for a reader that is stopped");
        }

        void awaitOnlySurvivors() {
            await(
                    () -> publisher.publisher().subscribers() == 2,
                    () -> publisher.publisher().subscribers() + " subscribers instead of 2");
        }
    }

    private void subscriberRound(Child victim, FaultPoint point, Crowd crowd) {
        children.add(victim);
        crowd.awaitOnlySurvivors();
        crowd.publisher.pause();
        Remains before = settled();
        crowd.publisher.resume();
        switch (point) {
            case PUBLISHER_LOST, EPOCH_BEGUN -> {
                victim.tell("go\nread 1000000");
                assertEquals("ready " + transport, victim.answer());
                reopen(crowd);
                before = null; // another ring, other mappings
            }
            case DISCONNECTING, RING_UNMAPPED, ALL_UNMAPPED -> victim.tell("go\nread 5\nclose");
            default -> victim.tell("go\nread 1000000");
        }
        awaitDeath(victim, point, crowd::awaitLaps);
        crowd.awaitOnlySurvivors();
        crowd.awaitFrames();
        crowd.requireWhole();
        crowd.publisher.pause();
        await(() -> crowd.publisher.countSlots() == SLOTS, () -> "slots are lost after a death at " + point);
        if (before != null) {
            awaitRemains(before, () -> "after the death of a subscriber at " + point);
        }
        crowd.publisher.resume();
        children.remove(victim);
    }

    /** What there is while nothing is published, and the server has let go of all that are gone. */
    private Remains settled() {
        List<Remains> last = new ArrayList<>();
        await(
                () -> {
                    last.add(remains());
                    int looks = last.size();
                    return looks > 1 && last.get(looks - 1).equals(last.get(looks - 2));
                },
                () -> "descriptors come and go: " + last);
        return last.getLast();
    }

    private static void reopen(Crowd crowd) {
        boolean small = crowd.publisher.publisher().format().width() == WIDTH;
        crowd.publisher.reopen(FrameFormat.of(
                PixelFormat.NV12, small ? 2 * WIDTH : WIDTH, small ? 2 * HEIGHT : HEIGHT, ColorInfo.UNKNOWN));
    }
}
