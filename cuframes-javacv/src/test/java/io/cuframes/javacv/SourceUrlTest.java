// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Credentials do not show in a URL's text; the rest does. */
class SourceUrlTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "rtsp://cam/stream rtsp://cam/stream",
                "rtsp://cam:554/a@b rtsp://***@b",
                "rtsp://admin:hunter2@cam:554/stream rtsp://***@cam:554/stream",
                "rtsp://admin@cam/stream rtsp://***@cam/stream",
                "rtsp://admin:hun@ter2@cam/stream rtsp://***@cam/stream",
                "rtsp://admin:hun/ter2@cam/stream rtsp://***@cam/stream",
                "rtsp://admin:hun?ter2@cam/stream rtsp://***@cam/stream",
                "rtsp://admin:12/34@cam/stream rtsp://***@cam/stream",
                "RTSP://admin:hunter2@[fe80::1]:554/stream RTSP://***@[fe80::1]:554/stream",
                "rtsp://cam/?user=admin&password=hunter2&channel=1 rtsp://cam/?user=***&password=***&channel=1",
                "http://cam/video?token=abc http://cam/video?token=***",
                "/videos/clip.mp4 /videos/clip.mp4",
                "/videos/me@home.mp4 /videos/me@home.mp4"
            })
    void hidesUserAndPassword(String raw, String shown) {
        SourceUrl url = new SourceUrl(raw);
        assertEquals(shown, url.toString());
        assertEquals(raw, url.raw());
    }
}
