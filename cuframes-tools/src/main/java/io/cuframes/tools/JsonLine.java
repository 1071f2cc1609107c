// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;

/** A JSON object in one line, written member by member. */
final class JsonLine {
    private final StringWriter text = new StringWriter();
    private final JsonWriter writer = new JsonWriter(text);

    private JsonLine() {}

    /** An operation of the writer, which fails as all writers may, though not on a string. */
    private interface Step {
        void write() throws IOException;
    }

    private JsonLine step(Step step) {
        try {
            step.write();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    static JsonLine begin() {
        JsonLine line = new JsonLine();
        return line.step(line.writer::beginObject);
    }

    JsonLine end() {
        return step(writer::endObject);
    }

    JsonLine put(String name, String value) {
        return step(() -> writer.name(name).value(value));
    }

    JsonLine put(String name, long value) {
        return step(() -> writer.name(name).value(value));
    }

    JsonLine put(String name, boolean value) {
        return step(() -> writer.name(name).value(value));
    }

    /** A number with one decimal; null where there is none (NaN). */
    JsonLine putTenths(String name, double value) {
        return step(() -> {
            writer.name(name);
            if (Double.isNaN(value)) {
                writer.nullValue();
            } else {
                writer.jsonValue(String.format(Locale.ROOT, "%.1f", value));
            }
        });
    }

    JsonLine beginObject(String name) {
        return step(() -> writer.name(name).beginObject());
    }

    JsonLine beginArray(String name) {
        return step(() -> writer.name(name).beginArray());
    }

    JsonLine endArray() {
        return step(writer::endArray);
    }

    /** An object in an array, already written. */
    JsonLine element(String json) {
        return step(() -> writer.jsonValue(json));
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
