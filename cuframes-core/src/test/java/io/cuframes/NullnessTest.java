// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the Javadoc of public methods says of null, their signatures say, and the other way round. */
class NullnessTest {
    private static final List<Path> PACKAGES = List.of(
            Path.of("src/main/java/io/cuframes"), Path.of("../cuframes-javacv/src/main/java/io/cuframes/javacv"));
    private static final Pattern METHOD = Pattern.compile(
            "/\\*\\*((?:(?!\\*/).)*)\\*/\\s+(?:@(?!Nullable)\\w+(?:\\([^)]*\\))?\\s+)*public ([^;{=]*?)\\(([^)]*)\\)[^;{]*\\{",
            Pattern.DOTALL);
    private static final Pattern MAY_BE_NULL = Pattern.compile("(?<!never |gave )\\bnull\\b");

    @Test
    void theJavadocAndTheSignaturesAgree() throws IOException {
        List<String> wrong = new ArrayList<>();
        int nullable = 0;
        for (Path place : PACKAGES) {
            assertTrue(Files.readString(place.resolve("package-info.java")).contains("@NullMarked"), place::toString);
            try (Stream<Path> files = Files.list(place)) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    Matcher method = METHOD.matcher(Files.readString(file));
                    while (method.find()) {
                        nullable += check(file.getFileName() + " " + method.group(2), method, wrong);
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(nullable >= 15, nullable + " methods have something that may be null");
    }

    /** Returns 1 if something of it may be null. */
    private static int check(String name, Matcher method, List<String> wrong) {
        boolean found = false;
        String returned = tag(method.group(1), "@return");
        if (!returned.isEmpty()) {
            boolean may = MAY_BE_NULL.matcher(returned).find();
            found = may;
            if (may != method.group(2).contains("@Nullable")) {
                wrong.add(name + " returns: " + returned);
            }
        }
        for (String parameter : method.group(3).split(",", -1)) {
            String[] words = parameter.strip().split("\\s+", -1);
            String text = tag(method.group(1), "@param " + words[words.length - 1] + " ");
            boolean may = MAY_BE_NULL.matcher(text).find();
            found |= may;
            if (!text.isEmpty() && may != parameter.contains("@Nullable")) {
                wrong.add(name + " takes" + parameter + ": " + text);
            }
        }
        return found ? 1 : 0;
    }

    /** The text of a tag up to the next one; "" if the text does not have the tag. */
    private static String tag(String javadoc, String tag) {
        int at = javadoc.indexOf(tag);
        int end = at < 0 ? -1 : javadoc.indexOf("* @", at);
        return at < 0 ? "" : javadoc.substring(at, end < 0 ? javadoc.length() : end);
    }
}
