// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** The health reports: their names, which other programs rely on, and their values. */
class StatsJsonTest {
    private static final LatencyStats LATENCY = new LatencyStats(9, 1, 5, 4, 6, 7, 8, 3_600_000_000_000L);

    private static SubscriberStats subscriber(long lastSeq) {
        return new SubscriberStats(
                "cam1",
                0xfedcba9876543210L,
                Transport.CUDA_IPC,
                SubscriberMode.STRICT_ORDER,
                true,
                12,
                34,
                11,
                56,
                7,
                8,
                9,
                lastSeq,
                -40,
                3,
                2,
                1,
                lastSeq == 0 ? -1 : 77,
                88,
                LATENCY);
    }

    private static PublisherStats publisher(String name) {
        return new PublisherStats(
                "cam1",
                1,
                Transport.HOST,
                PublishPolicy.STRICT_WAIT,
                FrameFormat.of(PixelFormat.NV12, 1920, 1080, ColorInfo.UNKNOWN),
                6,
                12,
                100,
                99,
                13,
                3,
                2,
                1,
                4,
                List.of(new SubscriberLag(
                        5, name, 4711, SubscriberMode.NEWEST_ONLY, 90, 10, 2, 50, 40, 6, true, false, 123)));
    }

    /** Parses what must be one line. */
    private static JsonObject parse(String json) {
        assertFalse(json.contains("\n") || json.contains("\r"), json);
        return JsonParser.parseString(json).getAsJsonObject();
    }

    @Test
    void aSubscribersNamesAndValuesAreThese() {
        assertEquals("""
                {"key":"cam1","epoch":"fedcba9876543210","transport":"CUDA_IPC","mode":"STRICT_ORDER","connected":true,\
                "uptime_ns":12,"received_frames":34,"damaged_frames":11,"missed_frames":56,"gaps":7,"timeouts":8,"errors":9,"last_seq":5,\
                "last_pts_ns":-40,"lag_frames":3,"held_leases":2,"reconnects":1,"last_frame_age_ns":77,"publisher_stalled_ns":88,\
                "latency_ns":{"count":9,"min":1,"mean":5,"p50":4,"p90":6,"p99":7,"p999":8,"max":3600000000000}}""", subscriber(5).toJson());
        assertEquals(
                SubscriberStats.class.getRecordComponents().length,
                parse(subscriber(5).toJson()).size());
    }

    @Test
    void whatThereIsNotBeforeTheFirstFrameIsNull() {
        JsonObject json = parse(subscriber(0).toJson());
        for (String name : List.of("last_seq", "last_pts_ns", "last_frame_age_ns")) {
            assertTrue(json.has(name) && json.get(name).isJsonNull(), name);
        }
        assertEquals(20, json.size());
    }

    @Test
    void aPublishersNamesAndValuesAreThese() {
        assertEquals("""
                {"key":"cam1","epoch":"0000000000000001","transport":"HOST","policy":"STRICT_WAIT",\
                "format":{"pixel_format":"NV12","width_px":1920,"height_px":1080},"slots":6,"uptime_ns":12,\
                "published_frames":100,"announced_frames":99,"damaged_frames":13,"dropped_frames":3,"refused_frames":2,"stalled_subscribers":1,\
                "leased_slots":4,"subscribers":[{"number":5,"name":"detector","pid":4711,"mode":"NEWEST_ONLY","cursor_seq":90,\
                "lag_frames":10,"held_leases":2,"held_ns":123,"received_frames":50,"missed_frames":40,"timeouts":6,"waiting":true,"stalled":false}]}""", publisher("detector").toJson());
        assertEquals(
                PublisherStats.class.getRecordComponents().length,
                parse(publisher("").toJson()).size());
    }

    @Test
    void aNameCannotBreakOutOfItsString() {
        for (String name : List.of("a \"b\"", "c:\\d", "\n\r\t\u0000\u001b", "\u2028", "x\",\"pid\":0,\"y\":\"")) {
            JsonElement first = parse(publisher(name).toJson())
                    .getAsJsonArray("subscribers")
                    .get(0);
            assertEquals(name, first.getAsJsonObject().get("name").getAsString());
            assertEquals(4711, first.getAsJsonObject().get("pid").getAsInt());
        }
    }

    @Test
    void numbersDoNotDependOnTheLocale() {
        Locale locale = Locale.getDefault();
        String english = subscriber(5).toJson();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            assertEquals(english, subscriber(5).toJson());
        } finally {
            Locale.setDefault(locale);
        }
    }
}
