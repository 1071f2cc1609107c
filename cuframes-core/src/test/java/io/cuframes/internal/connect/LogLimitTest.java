// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LogLimitTest {
    private static final class Lines implements System.Logger {
        final List<String> lines = new ArrayList<>();

        @Override
        public String getName() {
            return "lines";
        }

        @Override
        public boolean isLoggable(Level level) {
            return true;
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String text, Throwable thrown) {
            lines.add(level + " " + text);
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String format, Object... parameters) {
            lines.add(level + " " + format);
        }
    }

    private final Lines log = new Lines();
    private long now;
    private final LogLimit limit = new LogLimit(log, "peers", 2, () -> now);

    private void storm(int lines) {
        for (int i = 0; i < lines; i++) {
            String text = "line " + i;
            limit.log(System.Logger.Level.WARNING, () -> text);
        }
    }

    private void pass(long seconds) {
        now += TimeUnit.SECONDS.toNanos(seconds);
    }

    @Test
    void aStormIsAFewLinesAndACount() {
        storm(1000);
        assertEquals(List.of("WARNING line 0", "WARNING line 1"), log.lines);
        pass(9);
        storm(1);
        assertEquals(2, log.lines.size());
        pass(1);
        storm(1);
        assertEquals(
                List.of("INFO 999 lines about peers like those before were left out", "WARNING line 0"),
                log.lines.subList(2, log.lines.size()));
    }

    @Test
    void theLastOfAStormIsToldWithoutALineAfterIt() {
        storm(5);
        assertEquals(TimeUnit.SECONDS.toNanos(10), limit.nanosToReport());
        pass(10);
        assertEquals(0, limit.nanosToReport());
        limit.report();
        assertEquals("INFO 3 lines about peers like those before were left out", log.lines.getLast());
        assertEquals(Long.MAX_VALUE, limit.nanosToReport());
        storm(3);
        limit.finish();
        assertEquals("INFO 1 lines about peers like those before were left out", log.lines.getLast());
    }
}
