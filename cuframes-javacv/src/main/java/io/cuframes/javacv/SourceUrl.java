// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a source or a sink is called: a URL or the path of a file. Its text form hides credentials; only {@link #raw()} has them.
 */
final class SourceUrl {
    private static final Pattern SCHEME = Pattern.compile("^([A-Za-z][A-Za-z0-9+.-]+)://");
    private static final Set<String> LOCAL = Set.of("file", "fd", "pipe", "concat", "subfile", "cache", "data");
    private static final Set<String> HTTP = Set.of("http", "https");

    private final String raw;
    private final String scheme;
    private final String masked;

    SourceUrl(String raw) {
        this.raw = raw;
        Matcher matcher = SCHEME.matcher(raw);
        boolean hasScheme = matcher.find();
        this.scheme = hasScheme ? matcher.group(1).toLowerCase(Locale.ROOT) : "";
        this.masked = Credentials.hideInUrl(raw);
    }

    /** As FFmpeg needs it, credentials and all. Never for a text. */
    String raw() {
        return raw;
    }

    /** Whether it is read through a network. */
    boolean isNetwork() {
        return !scheme.isEmpty() && !LOCAL.contains(scheme);
    }

    /** Whether it is a file served over HTTP, which has an end, rather than a stream. */
    boolean isHttp() {
        return HTTP.contains(scheme);
    }

    boolean isRtsp() {
        return scheme.equals("rtsp") || scheme.equals("rtsps");
    }

    /** Whether it ends in a dot and one of these. */
    boolean hasEnding(String... endings) {
        String ending = raw.substring(raw.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return Arrays.asList(endings).contains(ending);
    }

    @Override
    public String toString() {
        return masked;
    }
}
