// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A block of Java in a document.
 *
 * @param document where it is
 * @param line of its first line, from 1
 * @param how it is run: the words of the comment before it
 * @param code its text
 */
record CodeBlock(Path document, int line, How how, String code) {
    /** How a block is run, as the comment {@code <!-- runs ... -->} before it says. */
    enum How {
        /** By itself. */
        ALONE("runs"),
        /** While a publisher of its key is at work in this process. */
        BESIDE_A_PUBLISHER("runs beside a publisher"),
        /** While a strict subscriber in this process reads what it publishes. */
        BESIDE_A_SUBSCRIBER("runs beside a subscriber"),
        /** Beside a publisher, where a GPU is; compiled everywhere. */
        ON_A_GPU("runs on a GPU");

        private final String comment;

        How(String comment) {
            this.comment = comment;
        }
    }

    private static final Pattern COMMENT = Pattern.compile("<!-- (.*) -->");

    /** The blocks of a document; every one must say how it is run. */
    static List<CodeBlock> of(Path document) throws IOException {
        List<String> lines = Files.readAllLines(document);
        List<CodeBlock> blocks = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).equals("```java")) {
                int end = lines.subList(i, lines.size()).indexOf("```") + i;
                String code = String.join("\n", lines.subList(i + 1, end));
                blocks.add(new CodeBlock(document, i + 2, how(document, i, lines.get(i - 1)), code));
                i = end;
            }
        }
        return blocks;
    }

    private static How how(Path document, int line, String before) {
        Matcher comment = COMMENT.matcher(before);
        for (How how : How.values()) {
            if (comment.matches() && comment.group(1).equals(how.comment)) {
                return how;
            }
        }
        throw new IllegalStateException(
                document + ":" + line + " does not say how the block that follows is run: " + before);
    }
}
