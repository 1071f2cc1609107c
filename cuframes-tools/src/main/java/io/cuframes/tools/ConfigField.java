// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.javacv.VideoSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/** A value of a YAML file that knows where it is, for errors that say so. */
final class ConfigField {
    private final Path file;
    private final String name;
    private final Node node;

    ConfigField(Path file, String name, Node node) {
        this.file = file;
        this.name = name;
        this.node = node;
    }

    String name() {
        return name;
    }

    int line() {
        return node.getStartMark().getLine() + 1;
    }

    IllegalArgumentException error(String what) {
        return new IllegalArgumentException(file + ":" + line() + ": " + name + ": " + what);
    }

    /** The fields of a mapping, each once. */
    List<ConfigField> members() {
        if (!(node instanceof MappingNode mapping)) {
            throw error("is no mapping: write name: value, a line each");
        }
        List<ConfigField> members = new ArrayList<>();
        Map<String, Integer> lines = new TreeMap<>();
        for (NodeTuple tuple : mapping.getValue()) {
            if (!(tuple.getKeyNode() instanceof ScalarNode member)) {
                throw error("has a field whose name is no word");
            }
            ConfigField field = new ConfigField(file, member.getValue(), tuple.getValueNode());
            Integer before = lines.put(field.name(), field.line());
            if (before != null) {
                throw field.error("is there twice, in line " + before + " too: remove one");
            }
            members.add(field);
        }
        return members;
    }

    /** The elements of a list. */
    List<ConfigField> elements() {
        if (!(node instanceof SequenceNode sequence)) {
            throw error("is no list: begin each element with a dash");
        }
        List<ConfigField> elements = new ArrayList<>();
        for (Node element : sequence.getValue()) {
            elements.add(new ConfigField(file, name + "[" + elements.size() + "]", element));
        }
        return elements;
    }

    /** The value as it is written, without quotes. */
    String text() {
        if (!(node instanceof ScalarNode scalar) || scalar.getValue().isEmpty()) {
            throw error("needs a text");
        }
        return scalar.getValue();
    }

    /** A mapping of names to texts. */
    Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        for (ConfigField member : members()) {
            if (member.name().isBlank()) {
                throw error("has a field without a name");
            }
            texts.put(member.name(), member.text());
        }
        return texts;
    }

    private IllegalArgumentException not(String wanted) {
        String shown = node instanceof ScalarNode scalar
                ? "\"" + VideoSource.hideCredentials(scalar.getValue()) + "\""
                : "a list or mapping";
        return error("is " + shown + ": it must be " + wanted);
    }

    int integer(int least, int most) {
        String wanted = "a whole number, " + least + (most == Integer.MAX_VALUE ? " or more" : " to " + most);
        if (!(node instanceof ScalarNode scalar)) {
            throw not(wanted);
        }
        try {
            int value = Integer.parseInt(scalar.getValue());
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw not(wanted);
    }

    boolean flag() {
        String value = node instanceof ScalarNode scalar ? scalar.getValue() : "";
        if (value.equals("true") || value.equals("false")) {
            return value.equals("true");
        }
        throw not("true or false");
    }

    <E extends Enum<E>> E word(Class<E> type) {
        List<String> words = new ArrayList<>();
        for (E constant : type.getEnumConstants()) {
            String word = Words.of(constant);
            if (node instanceof ScalarNode scalar && scalar.getValue().equals(word)) {
                return constant;
            }
            words.add(word);
        }
        throw not("one of " + String.join(", ", words));
    }

    Duration seconds() {
        if (node instanceof ScalarNode scalar) {
            try {
                return Words.seconds(scalar.getValue());
            } catch (IllegalArgumentException e) {
                // said below
            }
        }
        throw not(Words.SECONDS);
    }

    Duration positiveSeconds() {
        if (node instanceof ScalarNode scalar) {
            try {
                return Words.positiveSeconds(scalar.getValue());
            } catch (IllegalArgumentException e) {
                // said below
            }
        }
        throw not(Words.POSITIVE_SECONDS);
    }

    /** Numbers of users or groups; an empty list for none. */
    List<Integer> ids() {
        return elements().stream().map(id -> id.integer(0, Integer.MAX_VALUE)).toList();
    }
}
