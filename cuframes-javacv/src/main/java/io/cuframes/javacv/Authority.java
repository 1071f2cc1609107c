// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * User, host and port of a URL, taken apart as FFmpeg does it: they end at the first of {@code / ? #}, and the host begins behind their last at sign.
 * Where that cannot be meant, because a password has such a character, the password is encoded for FFmpeg. Immutable.
 */
final class Authority {
    /** Schemes whose user and password FFmpeg decodes. */
    private static final Set<String> DECODED = Set.of("rtsp", "rtsps", "http", "https");

    /** Schemes that have no usual port. */
    private static final Set<String> NEED_PORT = Set.of("udp", "udplite", "rtp", "srtp", "tcp", "srt", "sctp");

    /** Schemes where no host means every address of this machine. */
    private static final Set<String> MAY_LISTEN = Set.of("udp", "udplite", "rtp", "srtp", "tcp", "srt", "sctp", "tls");

    private static final Pattern HOST_AND_PORT =
            Pattern.compile("(?:\\[(?<six>[^\\]]*)]|(?<name>[^:\\[\\]]*))(?<colon>:(?<port>[^:]*))?");
    private static final Pattern IPV6 = Pattern.compile("(?=.*:)[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~%-]+)?");
    private static final Pattern NOT_IN_NAME = Pattern.compile("[\\s\\p{Cntrl}\"'<>\\\\^`{|}@%]");
    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}");
    private static final int LAST_PORT = 65_535;

    private final String scheme;
    private final boolean listen;
    private final String rest;
    private final String slashes;
    private String user;
    private String hostAndPort;
    private String path;
    private String complaint;

    /**
     * Takes a URL apart.
     *
     * @param scheme in small letters
     * @param rest what follows the scheme and its colon
     * @param listen whether this side waits for the other, so that no host has to be named
     */
    Authority(String scheme, String rest, boolean listen) {
        this.scheme = scheme;
        this.rest = rest;
        this.listen = listen;
        this.slashes = rest.startsWith("//") ? "//" : rest.startsWith("/") ? "/" : "";
        splitAt(end(slashes.length()));
        if (hasDelimiterInUser()) {
            splitBehindUser();
        }
    }

    private int end(int from) {
        int end = from;
        while (end < rest.length() && "/?#".indexOf(rest.charAt(end)) < 0) {
            end++;
        }
        return end;
    }

    private void splitAt(int end) {
        String authority = rest.substring(slashes.length(), end);
        int at = authority.lastIndexOf('@');
        user = authority.substring(0, at + 1);
        hostAndPort = authority.substring(at + 1);
        path = rest.substring(end);
        complaint = look();
    }

    /** An at sign comes later, and what FFmpeg would take for the host cannot be one, or a fragment would have the at sign. */
    private boolean hasDelimiterInUser() {
        return path.indexOf('@') >= 0 && (complaint != null || (path.startsWith("#") && !user.isEmpty()));
    }

    /** Takes the first at sign that a host follows for the user's end; leaves everything as it was where there is no such host. */
    private void splitBehindUser() {
        String oldUser = user;
        String oldHost = hostAndPort;
        String oldPath = path;
        String oldComplaint = complaint;
        for (int at = rest.length() - path.length(); (at = rest.indexOf('@', at)) >= 0; at++) {
            int end = end(at + 1);
            splitAt(end);
            if (complaint == null) {
                if (!DECODED.contains(scheme)) {
                    complaint = "user or password has one of / ? #: percent-encode it (%2F %3F %23)";
                }
                return;
            }
        }
        user = oldUser;
        hostAndPort = oldHost;
        path = oldPath;
        complaint = oldComplaint;
    }

    /** What is wrong, without a piece of the text: it may be one of a password. */
    private String look() {
        Matcher matcher = HOST_AND_PORT.matcher(hostAndPort);
        if (!matcher.matches()) {
            return hostAndPort.indexOf('[') >= 0 || hostAndPort.indexOf(']') >= 0
                    ? "its host has a bracket too many or too few: an IPv6 address is written [fe80::1]"
                    : "it has two colons behind the host: write an IPv6 address in brackets, such as [fe80::1], and"
                            + " percent-encode / ? # @ : in user and password (%2F %3F %23 %40 %3A)";
        }
        String host = matcher.group("six") == null ? matcher.group("name") : matcher.group("six");
        boolean six = matcher.group("six") != null;
        if (host.isEmpty() && (six || !mayLackHost(matcher.group("colon") != null))) {
            return "it names no host";
        }
        if (six ? !IPV6.matcher(host).matches() : NOT_IN_NAME.matcher(host).find()) {
            return six
                    ? "what its brackets hold is no IPv6 address"
                    : "its host has a blank or another character that no host's name has";
        }
        return lookAtPort(matcher.group("port"));
    }

    private boolean mayLackHost(boolean hasPort) {
        return hasPort && (listen || MAY_LISTEN.contains(scheme));
    }

    private String lookAtPort(String port) {
        if (port == null) {
            return NEED_PORT.contains(scheme) ? "it needs a port: " + scheme + "://HOST:PORT" : null;
        }
        boolean right =
                PORT.matcher(port).matches() && Integer.parseInt(port) >= 1 && Integer.parseInt(port) <= LAST_PORT;
        return right
                ? null
                : "its port must be a number from 1 to " + LAST_PORT
                        + "; if what stands there is part of a password, percent-encode / ? # @ : in it (%2F %3F %23 %40 %3A)";
    }

    /** What is wrong with it, to follow the URL's name; null if nothing. */
    String complaint() {
        return complaint;
    }

    /** The URL behind its scheme's colon, as FFmpeg has to get it. */
    String encoded() {
        return slashes + (DECODED.contains(scheme) ? encode(user) : user) + hostAndPort + path;
    }

    /** The path, the query and the fragment. */
    String path() {
        return path;
    }

    private static String encode(String user) {
        if (user.isEmpty()) {
            return user;
        }
        StringBuilder encoded = new StringBuilder();
        for (int i = 0; i < user.length() - 1; i++) {
            char c = user.charAt(i);
            boolean isCode = c == '%' && user.substring(i + 1).matches("(?s)[0-9A-Fa-f]{2}.*");
            if ("/?#@% ".indexOf(c) >= 0 && !isCode) {
                encoded.append(String.format("%%%02X", (int) c));
            } else {
                encoded.append(c);
            }
        }
        return encoded.append('@').toString();
    }
}
