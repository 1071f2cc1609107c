// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a source or a sink is called: a URL or the path of a file. Its text form hides credentials; only {@link #raw()} and {@link #location()} have
 * them. What is a file, and of what kind, is asked once, when this is made. Immutable.
 *
 * <p>A name that exists in the file system is that file, whatever else it looks like; {@code -} is standard input. Otherwise what begins with a
 * scheme and a colon is a URL, and the rest is the path of a file.
 */
final class SourceUrl {
    /** As FFmpeg finds a scheme: what else a name begins with makes it the path of a file. */
    private static final Pattern SCHEME = Pattern.compile("(?s)([A-Za-z0-9+.-]+)[:,].*");

    private static final String STANDARD_INPUT = "-";
    private static final Pattern DESCRIPTOR = Pattern.compile("(?i)(?:pipe|fd):([0-9]{0,9})");
    private static final Pattern VIDEO_DEVICE = Pattern.compile("/dev/(?:video[0-9]+|v4l/.+)");
    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    /** Schemes with a host, of FFmpeg's protocols and demuxers. */
    private static final Set<String> WITH_HOST = Set.of(
            "rtsp", "rtsps", "satip", "sap", "rtp", "srtp", "udp", "udplite", "tcp", "tls", "dtls", "sctp", "srt",
            "rist", "rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpte", "rtmpts", "mmsh", "mmst", "http", "https", "ftp",
            "sftp", "gopher", "gophers", "icecast");

    /** Schemes that lead to another address or hold the data, and that wait for nobody. */
    private static final Set<String> LOCAL =
            Set.of("file", "fd", "pipe", "concat", "concatf", "subfile", "data", "unix");

    /** Schemes that another address follows, whose kind theirs is. */
    private static final Set<String> AROUND = Set.of("cache", "async", "crypto");

    private static final Set<String> HTTP = Set.of("http", "https");

    private final String raw;
    private final String scheme;
    private final String masked;
    private final LocalPath path;
    private final Authority authority;
    private final InputKind kind;
    private final String complaint;

    SourceUrl(String address) {
        this(address, false);
    }

    /**
     * Finds out what an address is.
     *
     * @param address perhaps with blanks or line ends around it
     * @param listen whether this side waits for the other, so that no host has to be named
     */
    SourceUrl(String address, boolean listen) {
        this.raw = LocalPath.of(address).exists() ? address : address.strip();
        this.masked = Credentials.hideInUrl(raw);
        Matcher matcher = SCHEME.matcher(raw);
        String named = matcher.matches() && !LocalPath.of(raw).exists()
                ? matcher.group(1).toLowerCase(Locale.ROOT)
                : "";
        this.path = localPath(named);
        this.scheme = path == null ? named : "";
        this.authority = WITH_HOST.contains(scheme) ? new Authority(scheme, behindScheme(), listen) : null;
        this.kind = findKind();
        this.complaint = findComplaint(named);
    }

    /**
     * An address as seen from a directory: a relative name of a file becomes an absolute one, by the rules that tell a file from a URL there.
     *
     * @param address as it is written
     * @param directory absolute
     */
    static String resolve(String address, String directory) {
        String trimmed = address.strip();
        for (String name : List.of(address, trimmed)) {
            String inside = directory + "/" + name;
            if (!name.isEmpty() && !name.startsWith("/") && LocalPath.of(inside).exists()) {
                return trimmed.equals(STANDARD_INPUT) ? trimmed : inside;
            }
        }
        Matcher matcher = SCHEME.matcher(trimmed);
        String named = matcher.matches() ? matcher.group(1).toLowerCase(Locale.ROOT) : "";
        if (named.equals("file") && !trimmed.startsWith("/", "file:".length())) {
            return "file:" + directory.replace("%", "%25") + "/" + trimmed.substring("file:".length());
        }
        boolean isPath = named.isEmpty() && !trimmed.isEmpty() && !trimmed.equals(STANDARD_INPUT);
        return isPath && !trimmed.startsWith("/") ? directory + "/" + trimmed : trimmed;
    }

    private String behindScheme() {
        return raw.substring(raw.indexOf(':') + 1);
    }

    /** The file that is meant; null for a URL. */
    private LocalPath localPath(String named) {
        if (raw.equals(STANDARD_INPUT)) {
            return LocalPath.ofDescriptor(0);
        }
        if (named.isEmpty()) {
            return LocalPath.of(raw);
        }
        Matcher descriptor = DESCRIPTOR.matcher(raw);
        if (descriptor.matches()) {
            String number = descriptor.group(1);
            return LocalPath.ofDescriptor(number.isEmpty() ? 0 : Integer.parseInt(number));
        }
        return named.equals("file") ? ofFileUrl() : null;
    }

    /** The name as it is written, if there is such a file, else decoded; as it is written if there is neither, for it may be a pattern. */
    private LocalPath ofFileUrl() {
        String name = behindScheme();
        if (name.startsWith("//")) {
            name = name.substring(Math.max(2, name.indexOf('/', 2)));
        }
        LocalPath written = LocalPath.of(name);
        LocalPath decoded = LocalPath.decoded(name);
        return !written.exists() && decoded.exists() ? decoded : written;
    }

    private InputKind findKind() {
        if (path != null) {
            return path.type().isPipe() || isVideoDevice() ? InputKind.PIPE : byEnding(path.toString(), InputKind.FILE);
        }
        if (AROUND.contains(scheme)) {
            return new SourceUrl(behindScheme()).kind();
        }
        String protocol = protocol();
        if (HTTP.contains(protocol)) {
            String place = authority == null ? raw : authority.path();
            return byEnding(place.split("[?#]", 2)[0], InputKind.HTTP);
        }
        if (scheme.equals("unix")) {
            return InputKind.PIPE;
        }
        boolean remote = authority != null || (!LOCAL.contains(protocol) && raw.contains("://"));
        return remote ? InputKind.LIVE : InputKind.FILE;
    }

    /** The scheme that does the transport, of nested ones the last. */
    private String protocol() {
        return scheme.substring(scheme.lastIndexOf('+') + 1);
    }

    private static InputKind byEnding(String name, InputKind other) {
        String ending = endingOf(name);
        return switch (ending) {
            case "sdp" -> InputKind.LIVE;
            case "m3u8", "mpd" -> InputKind.SEGMENTED;
            default -> other;
        };
    }

    private String findComplaint(String named) {
        if (raw.isEmpty()) {
            return "it is empty";
        }
        if (path != null && path.hasZero()) {
            return "its name has a zero byte, which no file's name has";
        }
        if (path != null && named.equals("file")) {
            String name = behindScheme();
            String host = name.startsWith("//") ? name.substring(2).split("/", 2)[0] : "";
            return !host.isEmpty() && !host.equalsIgnoreCase("localhost")
                    ? "it names a host, and files of other machines cannot be opened so: write file:///PATH"
                    : path.toString().isEmpty() ? "it names no file" : null;
        }
        if (path == null && CONTROL.matcher(raw).find()) {
            return "it has a line end or another control character";
        }
        return authority == null ? null : authority.complaint();
    }

    /** As it was given, credentials and all. Never for a text. */
    String raw() {
        return raw;
    }

    /** As FFmpeg gets it to read from: {@code file:} and the name, or the URL with its scheme in small letters. Never for a text. */
    byte[] location() {
        if (path != null) {
            return path.location();
        }
        String rest = authority == null ? raw.substring(scheme.length()) : ":" + authority.encoded();
        return (scheme + rest).getBytes(StandardCharsets.UTF_8);
    }

    /** The file; null if it is no local file, device or descriptor. */
    LocalPath path() {
        return path;
    }

    /** In small letters; empty for a file. */
    String scheme() {
        return scheme;
    }

    /**
     * Refuses what is malformed.
     *
     * @throws CuframesException code INVALID_ARGUMENT, with what is wrong, and without credentials
     */
    void requireWellFormed() {
        if (complaint != null) {
            // Without the URL itself: what is a password cannot be told from what is not, where one cannot tell its
            // parts.
            String what = raw.isEmpty() ? "the address" : path == null ? "the " + scheme + " URL" : masked;
            throw new CuframesException(ErrorCode.INVALID_ARGUMENT, what + " is malformed: " + complaint);
        }
    }

    /** Whether a protocol of FFmpeg is to read local inputs where reading may wait without an end. */
    boolean hasPipeInside() {
        return switch (scheme) {
            case "concat" -> Arrays.stream(behindScheme().split("\\|")).anyMatch(SourceUrl::isPipe);
            case "cache", "async", "crypto", "subfile" -> isPipe(behindScheme());
            default -> false;
        };
    }

    private static boolean isPipe(String address) {
        SourceUrl url = new SourceUrl(address);
        return (url.kind() == InputKind.PIPE && url.path() != null) || url.hasPipeInside();
    }

    InputKind kind() {
        return kind;
    }

    /** Whether it is read through a network. A session description is: what it describes comes that way. */
    boolean isNetwork() {
        return switch (kind) {
            case LIVE, HTTP -> true;
            case SEGMENTED -> path == null;
            case FILE, PIPE -> false;
        };
    }

    /** Whether it comes over HTTP, where a file, which has an end, cannot be told from a stream before it is open. */
    boolean isHttp() {
        return HTTP.contains(protocol()) || (AROUND.contains(scheme) && new SourceUrl(behindScheme()).isHttp());
    }

    boolean isRtsp() {
        return scheme.equals("rtsp") || scheme.equals("rtsps");
    }

    /** Whether it is a camera of Video4Linux. */
    boolean isVideoDevice() {
        return path != null && VIDEO_DEVICE.matcher(path.toString()).matches();
    }

    /** Whether it ends in a dot and one of these. */
    boolean hasEnding(String... endings) {
        return Arrays.asList(endings).contains(endingOf(raw));
    }

    private static String endingOf(String name) {
        return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return masked;
    }
}
