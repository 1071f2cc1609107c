// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/** Finds the credentials of URLs in texts, and hides them. What is secret in the path of a URL cannot be told from a path, and is not hidden. */
final class Credentials {
    /** What stands for them. */
    private static final String HIDDEN = "***";

    /** Names of parameters, or what they end in, such as {@code access_token}. */
    private static final Pattern PARAMETER = Pattern.compile(
            "(?i)((?:user(?:name)?|usr|login|pass(?:word|wd|phrase|code)?|pwd|pw|token|secret|credentials?|auth(?:orization)?|key|jwt|sid"
                    + "|session(?:id)?|sig(?:nature)?|ticket|pin)=)[^&;#/?\\s\"'<>|]*");

    /** From the slashes to the last at sign: a password may hold slashes, question marks and at signs unescaped, but no blank or quote. */
    private static final Pattern IN_TEXT = Pattern.compile("(?<=:)//[^\\s\"'<>]*@");

    /** A URL without its scheme or a slash, as people forget them: what is before the at sign has a colon, and is not the beginning of a path. */
    private static final Pattern WITHOUT_SCHEME = Pattern.compile("^(?!(?i:file):)[^/.@:\\s][^/@:\\s]*:/?[^/\\s]\\S*@");

    /** As FFmpeg shows requests and answers when it is told to say everything. */
    private static final Pattern HEADER =
            Pattern.compile("(?im)((?:proxy-)?auth(?:orization|enticate)|www-authenticate|(?:set-)?cookie)(\\s*:).*");

    /** What programs gave FFmpeg as values of options; never fewer, for FFmpeg may log one at any time. */
    private static final Set<String> SECRETS = ConcurrentHashMap.newKeySet();

    /** Shorter values, and numbers, are words of FFmpeg's own and not hidden: texts would be illegible. */
    private static final Pattern NO_SECRET = Pattern.compile("(?s).{0,3}|[0-9.:x/]*");

    private Credentials() {}

    /** Has every later text hide a value of which nobody knows whether it is a secret. */
    static void addSecret(String value) {
        for (String part : value.split("\\R", -1)) {
            if (!NO_SECRET.matcher(part.strip()).matches()) {
                SECRETS.add(part.strip());
            }
        }
    }

    /** Hides those of one URL, or of a path that is none, which is left as it is. */
    static String hideInUrl(String url) {
        int slashes = url.indexOf("://");
        if (slashes < 0) {
            return WITHOUT_SCHEME.matcher(url).replaceFirst(HIDDEN + "@");
        }
        int begin = slashes + "://".length();
        String rest = url.substring(begin);
        int at = rest.lastIndexOf('@');
        String visible = at < 0 ? rest : HIDDEN + "@" + rest.substring(at + 1);
        return url.substring(0, begin) + PARAMETER.matcher(visible).replaceAll("$1" + HIDDEN);
    }

    /** Hides those of every URL in a text. */
    static String hideInText(String text) {
        String withoutUsers = IN_TEXT.matcher(text).replaceAll("//" + HIDDEN + "@");
        String withoutHeaders = HEADER.matcher(withoutUsers).replaceAll("$1$2 " + HIDDEN);
        String hidden = PARAMETER.matcher(withoutHeaders).replaceAll("$1" + HIDDEN);
        for (String secret : SECRETS) {
            hidden = hidden.replace(secret, HIDDEN);
        }
        return hidden;
    }
}
