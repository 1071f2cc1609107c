// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/** What a client asks for (RFC 2326, 6). */
record RtspRequest(String method, String url, Map<String, String> headers) {
    /** Reads the next request; passes over receiver reports and answers. Null at the end of the connection. */
    static RtspRequest read(InputStream in) throws IOException {
        while (true) {
            int first = in.read();
            if (first < 0) {
                return null;
            }
            if (first == '$') {
                in.read(); // the channel
                in.skipNBytes((long) in.read() << 8 | in.read());
                continue;
            }
            String line = (char) first + line(in);
            Map<String, String> headers = headers(in);
            in.skipNBytes(Long.parseLong(headers.getOrDefault("content-length", "0")));
            String[] words = line.strip().split(" ", -1);
            if (words.length == 3 && !line.startsWith("RTSP/")) {
                return new RtspRequest(words[0], words[1], headers);
            }
        }
    }

    private static Map<String, String> headers(InputStream in) throws IOException {
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
            }
        }
        return headers;
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException("the connection ends within a request");
            }
            line.write(next);
        }
        return line.toString(StandardCharsets.UTF_8).strip();
    }

    String header(String name) {
        return headers.getOrDefault(name, "");
    }
}
