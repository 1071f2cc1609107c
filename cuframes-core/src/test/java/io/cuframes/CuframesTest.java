// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.protocol.SegmentDescriptor;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is true of the library as a whole. */
class CuframesTest {
    private static final int CLOCK_MONOTONIC = 1;

    @Test
    void theVersionIsThatOfTheBuild() throws IOException {
        String version = Cuframes.version();
        assertTrue(version.matches("\\d+\\.\\d+\\.\\d+(-[A-Za-z0-9.]+)?"), version);
        Path pom = Path.of("pom.xml"); // not beside a bundle
        assertTrue(!Files.exists(pom) || Files.readString(pom).contains("<version>" + version + "</version>"), version);
    }

    @Test
    void theProtocolVersionIsThatOfTheSegment() {
        assertEquals("1.1", Cuframes.protocolVersion());
        assertEquals(SegmentDescriptor.MAJOR + "." + SegmentDescriptor.MINOR, Cuframes.protocolVersion());
    }

    @Test
    @SuppressWarnings("restricted") // asks the kernel itself
    void theClockIsTheKernelsMonotonicOne() throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle clockGettime = linker.downcallHandle(
                linker.defaultLookup().find("clock_gettime").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment time = arena.allocate(16, 8); // struct timespec
            for (int i = 0; i < 100; i++) {
                long before = Cuframes.nowNanos();
                assertEquals(0, (int) clockGettime.invokeExact(CLOCK_MONOTONIC, time));
                long after = Cuframes.nowNanos();
                long kernel = time.get(ValueLayout.JAVA_LONG, 0) * 1_000_000_000 + time.get(ValueLayout.JAVA_LONG, 8);
                assertTrue(before <= kernel && kernel <= after, before + " <= " + kernel + " <= " + after);
            }
        }
    }

    @Test
    void aFrameIsPublishedByThatClock() {
        try (StreamFixture stream = new StreamFixture();
                Publisher publisher = Publisher.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .transport(Transport.HOST)
                        .size(64, 64)
                        .open();
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open();
                WritableFrame written = publisher.acquire()) {
            long before = Cuframes.nowNanos();
            written.publish(0);
            long after = Cuframes.nowNanos();
            try (Frame frame = subscriber.next(Duration.ofSeconds(5))) {
                assertTrue(before <= frame.publishTimeNanos() && frame.publishTimeNanos() <= after);
            }
        }
    }

    @Test
    void anEpochIsWrittenInOneNotationEverywhere() {
        assertEquals("00000000000000ff", Cuframes.epochText(255));
        assertEquals("ffffffffffffffff", Cuframes.epochText(-1));
        try (StreamFixture stream = new StreamFixture();
                Publisher publisher = Publisher.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .transport(Transport.HOST)
                        .size(64, 64)
                        .open();
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open()) {
            String epoch = "\"epoch\":\"" + Cuframes.epochText(publisher.epoch()) + "\"";
            assertTrue(publisher.stats().toJson().contains(epoch));
            assertTrue(publisher.stats().toString().contains(epoch));
            assertTrue(subscriber.stats().toJson().contains(epoch));
            assertTrue(subscriber.stats().toString().contains(epoch));
        }
    }

    @Test
    void aPublisherWithoutASizeSaysWhatIsMissing() {
        try (StreamFixture stream = new StreamFixture()) {
            Publisher.Builder builder = Publisher.builder(stream.key())
                    .socketDirectory(stream.directory())
                    .transport(Transport.HOST);
            CuframesException missing = assertThrows(CuframesException.class, builder::open);
            assertEquals(ErrorCode.INVALID_ARGUMENT, missing.code());
            assertTrue(missing.getMessage().contains("call size(width, height)"), missing.getMessage());
        }
    }

    @Test
    void everyErrorCodeSaysInASentenceOfItsOwnWhatItMeans() {
        Set<String> descriptions = new HashSet<>();
        for (ErrorCode code : ErrorCode.values()) {
            assertTrue(code.description().matches("[A-Z].*[a-z ,].*\\."), code + ": " + code.description());
            descriptions.add(code.description());
        }
        assertEquals(Arrays.asList(ErrorCode.values()).size(), descriptions.size());
    }
}
