// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

/**
 * What one check found.
 *
 * @param check which
 * @param outcome how it came out
 * @param subject what it was done with, such as a directory or a device; "" where there is one only
 * @param found what was seen, in a line
 * @param remedy what to do, in a line; "" exactly where it works
 */
public record Finding(Probe check, Outcome outcome, String subject, String found, String remedy) {
    /** Keeps every text to its line, and a remedy to what has one. */
    public Finding {
        found = line(found);
        remedy = line(remedy);
        if (remedy.isEmpty() != (outcome == Outcome.WORKS)) {
            throw new IllegalArgumentException(check + " " + outcome + ": \"" + remedy + "\" to be done");
        }
    }

    static Finding works(Probe check, String subject, String found) {
        return new Finding(check, Outcome.WORKS, subject, found, "");
    }

    static Finding note(Probe check, String subject, String found, String remedy) {
        return new Finding(check, Outcome.NOTE, subject, found, remedy);
    }

    static Finding fails(Probe check, String subject, String found, String remedy) {
        return new Finding(check, Outcome.FAILS, subject, found, remedy);
    }

    static Finding untried(Probe check, String subject, Probe needed) {
        return new Finding(
                check, Outcome.UNTRIED, subject, "needs: " + needed.title(), "see to " + needed.title() + " first");
    }

    private static String line(String text) {
        return text.replaceAll("\\s*\\R\\s*", "; ");
    }
}
