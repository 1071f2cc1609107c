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
                "rtsp://cam/?access_token=abc&sessionid=1 rtsp://cam/?access_token=***&sessionid=***",
                "rtsp://cam/user=admin_password=tlJwpbo6_channel=1.sdp rtsp://cam/user=***",
                "cache:http://admin:hunter2@cam/clip.ts cache:http://***@cam/clip.ts",
                "concat:http://a:b@x/1.ts|http://c:d@y/2.ts concat:http://***@y/2.ts",
                "admin:hunter2@cam/stream ***@cam/stream",
                "admin:hun/ter2@cam/stream ***@cam/stream",
                "rtsp:admin:hunter2@cam/stream ***@cam/stream",
                "rtsp:/admin:hunter2@cam/stream ***@cam/stream",
                "file:/videos/me@home.mp4 file:/videos/me@home.mp4",
                "./me:you@home.mp4 ./me:you@home.mp4",
                "/videos/clip.mp4 /videos/clip.mp4",
                "/videos/me@home.mp4 /videos/me@home.mp4"
            })
    void hidesUserAndPassword(String raw, String shown) {
        SourceUrl url = new SourceUrl(raw);
        assertEquals(shown, url.toString());
        assertEquals(raw, url.raw());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "Unmatched argument: 'rtsp://a:b@cam/1';Unmatched argument: 'rtsp://***@cam/1'",
                "from rtsp://a:b@cam/1 to http://c:d@cam/2?pwd=x y;from rtsp://***@cam/1 to http://***@cam/2?pwd=*** y",
                "Authorization: Basic YTpi;Authorization: ***",
                "  proxy-authorization : Digest a=b, c=d;  proxy-authorization : ***",
                "Cookie: sid=1;Cookie: ***",
                "mail me@example.org at 10://;mail me@example.org at 10://",
                "rtsp://cam/stream is fine;rtsp://cam/stream is fine"
            })
    void hidesThemInAnyText(String text, String shown) {
        assertEquals(shown, VideoSource.hideCredentials(text));
    }
}
