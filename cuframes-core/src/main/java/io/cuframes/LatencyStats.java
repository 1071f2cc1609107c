// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import com.google.gson.JsonObject;

/**
 * How long frames took from the publisher's publish call until a subscriber had them, over all frames it was given. Values are exact to a
 * hundredth; those beyond an hour count as an hour. All are 0 where {@code count} is.
 *
 * @param count frames
 * @param min nanoseconds
 * @param mean nanoseconds
 * @param p50 nanoseconds within which half of the frames arrived
 * @param p90 nanoseconds within which 90 percent of the frames arrived
 * @param p99 nanoseconds within which 99 percent of the frames arrived
 * @param p999 nanoseconds within which 99.9 percent of the frames arrived
 * @param max nanoseconds
 */
public record LatencyStats(long count, long min, long mean, long p50, long p90, long p99, long p999, long max) {
    JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("count", count);
        json.addProperty("min", min);
        json.addProperty("mean", mean);
        json.addProperty("p50", p50);
        json.addProperty("p90", p90);
        json.addProperty("p99", p99);
        json.addProperty("p999", p999);
        json.addProperty("max", max);
        return json;
    }
}
