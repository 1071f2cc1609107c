// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.google.gson.Gson;
import com.google.gson.JsonParser;
import io.cuframes.WaitStrategy;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a reader takes note of, and how it comes to the process that asked. */
class ReadingTest {
    private static final RoleSpec SPEC = new RoleSpec(
            RoleSpec.Role.SUBSCRIBER,
            Mode.HOST,
            WaitStrategy.PARK,
            1,
            1,
            0,
            10,
            5,
            100,
            64,
            64,
            6,
            0,
            -1,
            "/x",
            "k",
            System.nanoTime(),
            60);

    @Test
    void framesOfTheWarmUpAreNotCountedAndForeignBytesAre() {
        Reading reading = new Reading(SPEC);
        for (long number = 1; number <= 15; number++) {
            boolean foreign = number == 3 || number == 9;
            reading.take(number, System.nanoTime() - 1000, RoleSpec.wordOf(foreign ? number + 1 : number));
        }
        assertEquals(10, reading.result().frames);
        assertEquals(1, reading.result().wrong);
        assertEquals(
                10, reading.result().recorded(RoleResult.What.LATENCY).total().getTotalCount());
    }

    @Test
    void aFrameIsToldFromItsNeighboursByItsBytes() {
        for (long number = 1; number < 1000; number++) {
            assertNotEquals(RoleSpec.wordOf(number), RoleSpec.wordOf(number + 1));
            for (int slots = 2; slots <= 64; slots++) {
                assertNotEquals(RoleSpec.wordOf(number), RoleSpec.wordOf(number + slots));
            }
        }
    }

    @Test
    void aResultIsTheSameAfterItsJourney() {
        RoleResult result = new RoleResult(SPEC);
        Recording recording = result.recording(RoleResult.What.PUBLISH);
        for (int i = 0; i < 1000; i++) {
            recording.add(SPEC.originNanos() + i * 10_000_000L, 1000 + i); // ten intervals
        }
        result.frames = 7;
        result.cpuNanos = 8;
        RoleResult arrived = RoleResult.fromJson(
                JsonParser.parseString(result.toJson().toString()).getAsJsonObject());
        assertEquals(7, arrived.frames);
        assertEquals(8, arrived.cpuNanos);
        assertNull(arrived.recorded(RoleResult.What.ACQUIRE));
        assertEquals(
                recording.total(), arrived.recorded(RoleResult.What.PUBLISH).total());
        int[] intervals = new int[1];
        arrived.recorded(RoleResult.What.PUBLISH).forEachInterval((begin, length, histogram) -> {
            assertEquals(100, histogram.getTotalCount());
            intervals[0]++;
        });
        assertEquals(10, intervals[0]);
        assertEquals(SPEC, new Gson().fromJson(new Gson().toJson(SPEC), RoleSpec.class));
    }

    @Test
    void theMiddleIsOfTheRounds() {
        assertEquals(2, Figures.median(List.of(9.0, 1.0, 2.0)));
        assertEquals(1.5, Figures.median(List.of(2.0, 1.0)));
    }

    @Test
    void theKernelsListOfCoresIsRead() {
        assertEquals(List.of(0, 1, 2, 3, 8), Cores.parse("0-3,8"));
        assertEquals(List.of(5), Cores.parse("5"));
    }
}
