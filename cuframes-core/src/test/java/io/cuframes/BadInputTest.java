// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.Needs;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What callers can get wrong: each is refused with a message that names it, and leaves nothing behind. */
class BadInputTest {
    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(320, 180);
    }

    private void refused(Consumer<Publisher.Builder> change, ErrorCode code, String... fragments) {
        List<String> descriptors = StreamFixture.descriptors();
        List<String> mappings = StreamFixture.mappings();
        Publisher.Builder builder = publisher();
        change.accept(builder);
        CuframesException refused =
                assertThrows(CuframesException.class, () -> builder.open().close());
        assertEquals(code, refused.code(), refused.getMessage());
        for (String fragment : fragments) {
            assertTrue(refused.getMessage().contains(fragment), refused.getMessage());
        }
        assertEquals(List.of(), stream.remains());
        assertEquals(descriptors, StreamFixture.descriptors());
        assertEquals(mappings, StreamFixture.mappings());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..",
                "a/b",
                "/",
                "cam 1",
                "k\u00e4se",
                "cam\n1",
                "a:b",
                "0123456789012345678901234567890123456789012345678901234567890123"
            })
    void anIllegalKeyIsRefusedByPublisherAndSubscriber(String key) {
        for (Executable open : List.<Executable>of(
                () -> Publisher.builder(key).size(320, 180).open(),
                () -> Subscriber.builder(key).open())) {
            CuframesException refused = assertThrows(CuframesException.class, open);
            assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
            assertTrue(refused.getMessage().contains("\"" + key + "\""), refused.getMessage());
        }
    }

    @Test
    void aNullKeyIsRefused() {
        assertEquals(
                ErrorCode.INVALID_ARGUMENT,
                assertThrows(
                                CuframesException.class,
                                () -> Subscriber.builder(null).open())
                        .code());
    }

    @Test
    void anIllegalGeometryIsRefused() {
        refused(builder -> builder.size(0, 180), ErrorCode.INVALID_ARGUMENT, "0x180");
        refused(builder -> builder.size(-4, 180), ErrorCode.INVALID_ARGUMENT, "-4x180");
        refused(builder -> builder.size(321, 180), ErrorCode.INVALID_ARGUMENT, "321x180", "even");
        refused(builder -> builder.size(320, 181), ErrorCode.INVALID_ARGUMENT, "320x181", "even");
        refused(builder -> builder.size(16386, 180), ErrorCode.INVALID_ARGUMENT, "16386x180", "16384");
    }

    @Test
    void anIllegalRingIsRefused() {
        refused(builder -> builder.slots(1), ErrorCode.INVALID_ARGUMENT, "slots is 1", "2 to 64");
        refused(builder -> builder.slots(65), ErrorCode.INVALID_ARGUMENT, "slots is 65");
        refused(builder -> builder.maxSubscribers(0), ErrorCode.INVALID_ARGUMENT, "maxSubscribers is 0");
        refused(builder -> builder.maxLeases(7), ErrorCode.INVALID_ARGUMENT, "maxLeases is 7", "1 to 6");
    }

    @Test
    void aBuilderMayBeUsedAgainAndForgetsWhatItWorkedOut() {
        Publisher.Builder builder = publisher();
        builder.open().close(); // with the leases that suit 6 slots
        try (Publisher smaller = builder.slots(2).open();
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open()) {
            assertEquals(2, subscriber.slots());
            assertEquals(smaller.epoch(), subscriber.epoch());
        }
    }

    @Test
    void aRingThatDoesNotFitInMemoryIsRefused() {
        refused(
                builder -> builder.size(16384, 16384).slots(64),
                ErrorCode.SYSTEM,
                "24576 MiB",
                stream.key(),
                "available here");
    }

    @Test
    void aSocketDirectoryThatCannotBeUsedIsRefused() throws IOException {
        Path file = Files.createFile(stream.directory().resolve("file"));
        try {
            CuframesException refused = assertThrows(
                    CuframesException.class,
                    () -> publisher().socketDirectory(file).open());
            assertEquals(ErrorCode.ACCESS_DENIED, refused.code());
            assertTrue(refused.getMessage().contains(file + ": is not a directory"), refused.getMessage());
        } finally {
            Files.delete(file);
        }
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void aSocketPathThatIsTooLongIsRefused() throws IOException {
        Path deep = stream.directory().resolve("d".repeat(100));
        Files.createDirectory(deep);
        CuframesException refused = assertThrows(
                CuframesException.class, () -> publisher().socketDirectory(deep).open());
        Files.delete(deep);
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
        assertTrue(refused.getMessage().contains("107"), refused.getMessage());
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void somethingInTheWayOfTheSegmentIsNamed() throws IOException {
        Files.createDirectory(stream.segment());
        try {
            CuframesException refused =
                    assertThrows(CuframesException.class, () -> publisher().open());
            assertTrue(refused.getMessage().contains(stream.segment().toString()), refused.getMessage());
        } finally {
            Files.delete(stream.segment());
        }
        Path target = Files.createFile(stream.directory().resolve("target"));
        Files.createSymbolicLink(stream.segment(), target);
        CuframesException refused =
                assertThrows(CuframesException.class, () -> publisher().open());
        assertTrue(refused.getMessage().contains("ELOOP"), refused.getMessage());
        assertEquals(0, Files.size(target), "the link is not followed");
        Files.delete(stream.segment());
        Files.delete(target);
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void leftoversOfAnyShapeAreTakenOver() throws IOException {
        Files.write(stream.segment(), new byte[] {1, 2, 3});
        Files.write(stream.socket(), new byte[0]); // not a socket: connecting to it is refused
        try (Publisher publisher = publisher().open();
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open()) {
            assertEquals(publisher.epoch(), subscriber.epoch());
        }
        assertEquals(List.of(), stream.remains());
    }

    @Test
    void anAbsentPublisherIsNamedWithThePlacesLookedAt() {
        CuframesException absent = assertThrows(
                CuframesException.class,
                () -> Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .connectTimeout(Duration.ofMillis(60))
                        .open());
        assertEquals(ErrorCode.NOT_FOUND, absent.code());
        assertTrue(absent.getMessage().contains(stream.socket() + " does not exist"), absent.getMessage());
        assertTrue(absent.getMessage().contains("60 ms"), absent.getMessage());
    }

    @Test
    void aSubscribersNameIsChecked() {
        for (String name : List.of("x".repeat(64), "tab\t", "\u00fc")) {
            assertEquals(
                    ErrorCode.INVALID_ARGUMENT,
                    assertThrows(
                                    CuframesException.class,
                                    () -> Subscriber.builder(stream.key())
                                            .name(name)
                                            .open())
                            .code());
        }
    }

    @Test
    void tooManySubscribersAreTurnedAway() {
        try (Publisher publisher = publisher().maxSubscribers(1).open();
                Subscriber first = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open()) {
            CuframesException full = assertThrows(
                    CuframesException.class,
                    () -> Subscriber.builder(stream.key())
                            .socketDirectory(stream.directory())
                            .open());
            assertEquals(ErrorCode.NO_SLOT, full.code());
            assertTrue(full.getMessage().contains("as many as this publisher admits"), full.getMessage());
            assertEquals(1, publisher.subscribers());
            assertEquals(publisher.epoch(), first.epoch());
        }
    }

    @Test
    void withoutCudaADeviceRingIsRefusedWithTheReason() {
        Needs.noGpu(Cuda.whyUnavailable() == null);
        refused(
                builder -> builder.transport(Transport.CUDA_IPC),
                ErrorCode.CUDA,
                Cuda.whyUnavailable()); // the places are the loader's own test's affair
    }

    @Test
    void aFrameUsedAfterItsEndIsRefused() {
        try (Publisher publisher = publisher().open();
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open()) {
            WritableFrame written = publisher.acquire();
            written.publish(1);
            assertThrows(IllegalStateException.class, () -> written.plane(0));
            assertThrows(IllegalStateException.class, () -> written.publish(2));
            written.close();
            Frame frame = subscriber.next(Duration.ofSeconds(5));
            assertThrows(IllegalStateException.class, () -> frame.plane(0).pointer());
            assertThrows(
                    IllegalArgumentException.class,
                    () -> frame.plane(0).segment().fill((byte) 1),
                    "read-only");
            frame.close();
            frame.close();
            assertThrows(IllegalStateException.class, frame::seq);
            assertThrows(IllegalStateException.class, () -> frame.plane(0));
        }
    }

    @Test
    void closedPublishersAndSubscribersSaySo() {
        Publisher publisher = publisher().open();
        Subscriber subscriber = Subscriber.builder(stream.key())
                .socketDirectory(stream.directory())
                .open();
        subscriber.close();
        subscriber.close();
        publisher.close();
        publisher.close();
        assertThrows(IllegalStateException.class, publisher::acquire);
        assertThrows(IllegalStateException.class, () -> subscriber.next(Duration.ZERO));
    }
}
