// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a camera asks a client for (RFC 7617, or RFC 2069 as RTSP has it). Immutable. */
record CameraPassword(boolean digest, String user, String password) {
    private static final String REALM = "camera";
    private static final String NONCE = "0ca30b5e";
    private static final Pattern FIELD = Pattern.compile("(\\w+)=\"([^\"]*)\"");

    /** The header that asks. */
    String challenge() {
        return digest
                ? "WWW-Authenticate: Digest realm=\"" + REALM + "\", nonce=\"" + NONCE + "\""
                : "WWW-Authenticate: Basic realm=\"" + REALM + "\"";
    }

    boolean isIn(RtspRequest request) {
        String given = request.header("authorization");
        return digest ? isDigest(given, request.method()) : given.equals("Basic " + basic());
    }

    private String basic() {
        return Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    private boolean isDigest(String given, String method) {
        Map<String, String> fields = new HashMap<>();
        Matcher matcher = FIELD.matcher(given);
        while (matcher.find()) {
            fields.put(matcher.group(1), matcher.group(2));
        }
        String secret = md5(user + ":" + REALM + ":" + password);
        String expected = md5(secret + ":" + NONCE + ":" + md5(method + ":" + fields.get("uri")));
        return given.startsWith("Digest ")
                && user.equals(fields.get("username"))
                && expected.equals(fields.get("response"));
    }

    private static String md5(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
