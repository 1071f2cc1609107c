// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.internal.doctor.Finding;
import io.cuframes.internal.doctor.Outcome;
import java.nio.charset.Charset;

/** How findings look: signs that the terminal can show, and colours where it has them and they are wanted (NO_COLOR, no-color.org). */
final class Report {
    private static final String INDENT = "    ";

    private final boolean unicode;
    private final boolean coloured;

    Report(Charset charset, boolean coloured) {
        this.unicode = charset.newEncoder().canEncode("\u2713\u2717\u00b7\u2192");
        this.coloured = coloured;
    }

    /** For what is printed to standard output, or beside it to standard error. */
    static Report forStream(boolean standardError) {
        String unwanted = System.getenv("NO_COLOR");
        boolean terminal = Console.isTerminal(standardError ? 2 : 1);
        return new Report(
                standardError ? System.err.charset() : System.out.charset(),
                terminal && (unwanted == null || unwanted.isEmpty()));
    }

    /** The finding in a line, and its remedy in another. */
    String text(Finding finding) {
        StringBuilder text = new StringBuilder(sign(finding.outcome()));
        text.append(' ').append(finding.check().title());
        if (!finding.subject().isEmpty()) {
            text.append(' ').append(finding.subject());
        }
        text.append(": ").append(finding.found());
        // What was not tried says in its line what it needs, and that has a remedy of its own.
        if (!finding.remedy().isEmpty() && finding.outcome() != Outcome.UNTRIED) {
            text.append('\n').append(INDENT).append(unicode ? "\u2192 " : "-> ").append(finding.remedy());
        }
        return text.toString();
    }

    /** A tick, a cross, or a sign that it is neither. */
    String sign(Outcome outcome) {
        return switch (outcome) {
            case WORKS -> colour("32", unicode ? "\u2713" : "[ok]");
            case NOTE -> colour("33", unicode ? "!" : "[!!]");
            case FAILS -> colour("31", unicode ? "\u2717" : "[no]");
            case UNTRIED -> colour("2", unicode ? "\u00b7" : "[--]");
        };
    }

    private String colour(String code, String text) {
        return coloured ? "\033[" + code + "m" + text + "\033[0m" : text;
    }
}
