// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import io.cuframes.CuframesException;
import io.cuframes.ErrorCode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code cuframes://KEY?word=value&...}: a stream of this host, and how to use it. What is wrong is refused by name, with what would be right; a
 * word that nobody knows is wrong, since a typing error would otherwise go unnoticed. Immutable.
 */
final class CuframesUrl {
    private static final String SCHEME = "cuframes://";
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m)");

    private final String text;
    private final String key;
    private final Map<String, String> words;

    /**
     * Reads a URL, and adds what was said apart from it.
     *
     * @param known the words that mean something here
     * @param options words with values that come before those of the URL
     * @throws CuframesException code INVALID_ARGUMENT
     */
    CuframesUrl(String text, Set<String> known, Map<String, String> options) {
        this.text = text;
        if (text == null || !text.startsWith(SCHEME)) {
            throw bad("it must be " + SCHEME + "KEY, such as " + SCHEME + "cam1");
        }
        int question = text.indexOf('?');
        key = text.substring(SCHEME.length(), question < 0 ? text.length() : question);
        if (key.isEmpty() || key.contains("/")) {
            throw bad("after " + SCHEME + " the key alone must follow, such as " + SCHEME + "cam1");
        }
        Map<String, String> said = new TreeMap<>();
        if (question >= 0) {
            for (String pair : text.substring(question + 1).split("&", -1)) {
                read(pair, known, said);
            }
        }
        options.forEach((word, value) -> {
            if (known.contains(word)) {
                said.put(word, value);
            }
        });
        words = Map.copyOf(said);
    }

    private void read(String pair, Set<String> known, Map<String, String> said) {
        int equals = pair.indexOf('=');
        String word = equals < 0 ? pair : pair.substring(0, equals);
        if (!known.contains(word)) {
            throw bad("\"" + word + "\" is none of the words known here: " + String.join(", ", new TreeSet<>(known)));
        }
        if (equals < 0 || equals == pair.length() - 1) {
            throw bad("\"" + word + "\" needs a value: " + word + "=...");
        }
        String value;
        try {
            value = URLDecoder.decode(pair.substring(equals + 1).replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw bad("the value of \"" + word + "\" has a % that two hexadecimal digits do not follow");
        }
        if (said.put(word, value) != null) {
            throw bad("\"" + word + "\" is said twice");
        }
    }

    private CuframesException bad(String why) {
        return new CuframesException(ErrorCode.INVALID_ARGUMENT, "the URL \"" + text + "\" is not usable: " + why);
    }

    private CuframesException badValue(String word, String wanted) {
        return bad(word + "=" + words.get(word) + " should be " + wanted);
    }

    String key() {
        return key;
    }

    boolean says(String word) {
        return words.containsKey(word);
    }

    /** What is said, as it is; null if nothing. */
    String word(String word) {
        return words.get(word);
    }

    /** One of the names of an enum's constants, in any case. */
    <E extends Enum<E>> E constant(String word, Class<E> type, E otherwise) {
        String value = words.get(word);
        if (value == null) {
            return otherwise;
        }
        Set<String> names = new TreeSet<>();
        for (E constant : type.getEnumConstants()) {
            String name = constant.name().toLowerCase(Locale.ROOT);
            if (name.equals(value.toLowerCase(Locale.ROOT))) {
                return constant;
            }
            names.add(name);
        }
        throw badValue(word, "one of " + String.join(", ", names));
    }

    /** One of the given texts, for which their numbers stand. */
    int choice(String word, int otherwise, String... values) {
        String value = words.get(word);
        if (value == null) {
            return otherwise;
        }
        for (int i = 0; i < values.length; i++) {
            if (values[i].equals(value)) {
                return i;
            }
        }
        throw badValue(word, "one of " + String.join(", ", values));
    }

    /** A whole number that is not negative. */
    int number(String word, int otherwise) {
        String value = words.get(word);
        if (value == null) {
            return otherwise;
        }
        if (!value.matches("[0-9]{1,9}")) {
            throw badValue(word, "a whole number, 0 or more");
        }
        return Integer.parseInt(value);
    }

    /** A time longer than 0. */
    Duration duration(String word, Duration otherwise) {
        String value = words.get(word);
        if (value == null) {
            return otherwise;
        }
        Matcher matcher = DURATION.matcher(value);
        long count = matcher.matches() ? Long.parseLong(matcher.group(1)) : 0;
        if (count == 0) {
            throw badValue(word, "a time such as 500ms, 5s or 2m");
        }
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(count);
            case "s" -> Duration.ofSeconds(count);
            default -> Duration.ofMinutes(count);
        };
    }

    /** A folder; null if none is said. */
    Path path(String word) {
        return words.containsKey(word) ? Path.of(words.get(word)) : null;
    }

    @Override
    public String toString() {
        return text;
    }
}
