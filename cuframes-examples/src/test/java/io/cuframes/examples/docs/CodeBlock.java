// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A fenced block of a document.
 *
 * @param document where it is
 * @param line of its first line, from 1
 * @param how it is tested: the words of the comment before it
 * @param detail what the comment says behind those words; "" where nothing may follow
 * @param code its text
 */
record CodeBlock(Path document, int line, How how, String detail, String code) {
    /** How a block is tested, as the comment {@code <!-- ... -->} before it says; for blocks of that language alone. */
    enum How {
        /** Java that is run by itself. */
        ALONE("java", "runs"),
        /** Java that is run while a publisher of its key is at work in this process. */
        BESIDE_A_PUBLISHER("java", "runs beside a publisher"),
        /** Java that is run while a strict subscriber in this process reads what it publishes. */
        BESIDE_A_SUBSCRIBER("java", "runs beside a subscriber"),
        /** Java that is run beside a publisher, where a GPU is; compiled everywhere. */
        ON_A_GPU("java", "runs on a GPU"),
        /** A whole class, whose main method is run and has to end. */
        PROGRAM("java", "runs as a program"),
        /** A module-info.java, which is compiled on the module path. */
        MODULE("java", "compiles as a module"),
        /** Commands that are run. */
        SHELL("sh", "runs"),
        /** Commands that are run while a publisher of their key is at work in this process. */
        SHELL_BESIDE_A_PUBLISHER("sh", "runs beside a publisher"),
        /** Commands that the script of the continuous integration runs. */
        SHELL_IN_CI("sh", "runs in CI"),
        /** Commands that are not run here, for what they need; their options are looked at. */
        SHELL_NEEDS("sh", "needs:"),
        /** What a command printed; the command itself, behind a $, is looked at. */
        OUTPUT("", "output"),
        /** A drawing. */
        DIAGRAM("", "diagram"),
        /** A part of a POM. */
        POM("xml", "pom"),
        /** A file for {@code rtsp-source --config}. */
        CAMERAS("yaml", "cameras"),
        /** A configuration file of another program. */
        OTHER_CONFIGURATION("yaml", "configuration of");

        private final String language;
        private final String comment;

        How(String language, String comment) {
            this.language = language;
            this.comment = comment;
        }

        private boolean hasDetail() {
            return this == SHELL_NEEDS || this == OTHER_CONFIGURATION;
        }

        private boolean fits(String wanted, String words) {
            return language.equals(wanted) && (hasDetail() ? words.startsWith(comment + " ") : words.equals(comment));
        }

        boolean isJava() {
            return language.equals("java");
        }
    }

    private static final Pattern FENCE = Pattern.compile("\\s*(```+|~~~+)(.*)");
    private static final Pattern COMMENT = Pattern.compile("<!-- (.*) -->");

    /** The blocks of a document; every one must say how it is tested. */
    static List<CodeBlock> of(Path document) throws IOException {
        return of(document, Files.readAllLines(document));
    }

    static List<CodeBlock> of(Path document, List<String> lines) {
        List<CodeBlock> blocks = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            Matcher fence = FENCE.matcher(lines.get(i));
            if (fence.matches()) {
                int end = lines.subList(i + 1, lines.size()).indexOf("```") + i + 1;
                if (end == i
                        || !lines.get(i).startsWith("```")
                        || fence.group(1).length() > 3) {
                    throw new IllegalStateException(
                            document + ":" + (i + 1) + ": a block begins and ends with ``` at the start of a line");
                }
                String code = String.join("\n", lines.subList(i + 1, end));
                blocks.add(marked(document, i, fence.group(2).strip(), i == 0 ? "" : lines.get(i - 1), code));
                i = end;
            }
        }
        return blocks;
    }

    private static CodeBlock marked(Path document, int line, String language, String before, String code) {
        Matcher comment = COMMENT.matcher(before);
        if (comment.matches()) {
            String words = comment.group(1);
            for (How how : How.values()) {
                if (how.fits(language, words)) {
                    return new CodeBlock(
                            document,
                            line + 2,
                            how,
                            words.substring(how.comment.length()).strip(),
                            code);
                }
            }
        }
        throw new IllegalStateException(
                document + ":" + (line + 1) + ": the line before a block of language \"" + language
                        + "\" must be <!-- ... --> with one of "
                        + Arrays.stream(How.values())
                                .filter(how -> how.language.equals(language))
                                .map(how -> how.comment)
                                .toList()
                        + ", and is: " + before);
    }

    /** The same with other text. */
    CodeBlock withCode(String newCode) {
        return new CodeBlock(document, line, how, detail, newCode);
    }

    /** Where it is, for people. */
    String place() {
        return document.normalize() + ":" + line;
    }
}
