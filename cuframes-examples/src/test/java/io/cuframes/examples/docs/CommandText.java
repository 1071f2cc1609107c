// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import io.cuframes.tools.CommandLines;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Shell text as it stands in a document, taken apart far enough to look at each command. */
final class CommandText {
    private static final String COMMAND = "cuframes";
    private static final Set<String> PROGRAMS = Set.of("cuframes-rtsp-source", "sub_count");

    /** What a shell would put something else for; a number suits where a text does. */
    private static final Pattern SUBSTITUTION = Pattern.compile("\\$\\([^)]*\\)");

    private static final Pattern WORD =
            Pattern.compile("'([^']*)'|\"([^\"]*)\"|(&&|\\|\\||[|;&])|([^\\s'\"|;&]+)|(\\s+)");

    private CommandText() {}

    /** The simple commands of a text, each as its words. */
    static List<List<String>> commands(String text) {
        List<List<String>> commands = new ArrayList<>();
        for (String line : text.replace("\\\n", " ").split("\n", -1)) {
            List<String> words = new ArrayList<>();
            StringBuilder word = new StringBuilder();
            Matcher part = WORD.matcher(SUBSTITUTION.matcher(line).replaceAll("1") + " ");
            while (part.find()) {
                if (part.group(3) == null && part.group(5) == null) {
                    if (word.isEmpty() && part.group().startsWith("#")) {
                        break;
                    }
                    word.append(
                            part.group(1) != null
                                    ? part.group(1)
                                    : part.group(2) != null ? part.group(2) : part.group());
                    continue;
                }
                if (!word.isEmpty()) {
                    words.add(word.toString());
                    word.setLength(0);
                }
                if (part.group(3) != null) {
                    commands.add(words);
                    words = new ArrayList<>();
                }
            }
            commands.add(words);
        }
        commands.removeIf(List::isEmpty);
        return commands;
    }

    /** What is wrong with the command lines of cuframes in a text, also where another program is to run them; empty if nothing is. */
    static List<String> complaints(String text) {
        List<String> complaints = new ArrayList<>();
        for (List<String> words : commands(text)) {
            List<String> own = ownPart(words);
            String complaint = own.isEmpty() ? null : CommandLines.complaintAbout(own);
            if (complaint != null) {
                complaints.add(String.join(" ", words) + ": " + complaint);
            }
        }
        return complaints;
    }

    /** From the subcommand, or the program's name, on; empty if there is none. */
    static List<String> ownPart(List<String> words) {
        int first = 0;
        while (first < words.size() - 1 && words.get(first).matches("[A-Z_]+=.*")) {
            first++;
        }
        for (int i = first; i < words.size(); i++) {
            String name = words.get(i).substring(words.get(i).lastIndexOf('/') + 1);
            String next = i + 1 < words.size() ? words.get(i + 1) : "";
            if (PROGRAMS.contains(name) && (i == first || next.startsWith("--"))) {
                List<String> own = new ArrayList<>(words.subList(i, words.size()));
                own.set(0, name);
                return own;
            }
            if (name.equals(COMMAND) && (i == first || CommandLines.isCommand(next))) {
                return words.subList(i + 1, words.size());
            }
        }
        return List.of();
    }
}
