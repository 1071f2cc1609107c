// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.CuframesException;
import io.cuframes.PublishPolicy;
import io.cuframes.Publisher;
import io.cuframes.Transport;
import io.cuframes.javacv.VideoSource;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;

/**
 * Cameras from a YAML file: {@code cameras}, a list of mappings with {@code key} and {@code url}; every other field at the top is what cameras
 * without one of their own get. Whatever is unknown or out of range is refused, with its file, line and field.
 */
final class CameraFile {
    private static final long LONGEST_FILE = 1 << 20;
    private static final String CAMERAS = "cameras";
    private static final String KEY = "key";
    private static final String URL = "url";

    /** The fields that a camera has beside key and URL, by their names; as the options of the command line are called. */
    private static final Map<String, BiConsumer<CameraSettings.Draft, ConfigField>> FIELDS = fields();

    private final Path file;
    private final Map<String, String> environment;

    private CameraFile(Path file, Map<String, String> environment) {
        this.file = file;
        this.environment = environment;
    }

    private static Map<String, BiConsumer<CameraSettings.Draft, ConfigField>> fields() {
        Map<String, BiConsumer<CameraSettings.Draft, ConfigField>> fields = new LinkedHashMap<>();
        fields.put("ring", (draft, field) -> draft.ring = field.integer(2, 64));
        fields.put("policy", (draft, field) -> draft.policy = field.word(PublishPolicy.class));
        fields.put("transport", (draft, field) -> draft.transport = field.word(Transport.class));
        fields.put("decoder", (draft, field) -> draft.decoder = field.word(VideoSource.Decoder.class));
        fields.put("device", (draft, field) -> draft.device = field.integer(0, Integer.MAX_VALUE));
        fields.put(
                "rtsp-transport", (draft, field) -> draft.rtspTransport = field.word(VideoSource.RtspTransport.class));
        fields.put("listen", (draft, field) -> draft.listen = field.flag());
        fields.put("loop", (draft, field) -> draft.loop = field.flag());
        fields.put("realtime", (draft, field) -> draft.realtime = field.flag());
        fields.put("reconnect", (draft, field) -> draft.reconnect = field.flag());
        fields.put("open-timeout", (draft, field) -> draft.openTimeout = field.positiveSeconds());
        fields.put("read-timeout", (draft, field) -> draft.readTimeout = field.positiveSeconds());
        fields.put("drop-damaged", (draft, field) -> draft.dropDamaged = field.flag());
        fields.put("max-frames", (draft, field) -> draft.maxFrames = field.integer(0, Integer.MAX_VALUE));
        fields.put("max-subscribers", (draft, field) -> draft.maxSubscribers = field.integer(1, 256));
        fields.put("allow-users", (draft, field) -> draft.users = field.ids());
        fields.put("allow-groups", (draft, field) -> draft.groups = field.ids());
        fields.put("on-demand", (draft, field) -> draft.onDemand = field.flag());
        fields.put("input-options", (draft, field) -> draft.addInputOptions(field.texts()));
        fields.put("input-format", (draft, field) -> draft.inputFormat = field.text());
        fields.put("linger", (draft, field) -> draft.linger = field.seconds());
        return fields;
    }

    /**
     * Reads a file.
     *
     * @param file of YAML
     * @param defaults what is not said in it
     * @param environment where URLs are that are not in it
     * @return its cameras, in its order; at least one
     * @throws IllegalArgumentException if the file cannot be used, with the place, and what to do; without credentials
     */
    static List<CameraSettings> read(Path file, CameraSettings.Draft defaults, Map<String, String> environment) {
        return new CameraFile(file, environment).cameras(defaults.copy());
    }

    private List<CameraSettings> cameras(CameraSettings.Draft draft) {
        ConfigField root = new ConfigField(file, "the file", parse());
        ConfigField list = null;
        for (ConfigField field : root.members()) {
            if (field.name().equals(CAMERAS)) {
                list = field;
            } else {
                set(draft, field, FIELDS.keySet(), ", and " + CAMERAS);
            }
        }
        if (list == null) {
            throw root.error("has no field " + CAMERAS + ": list the cameras there, each with key and url");
        }
        List<CameraSettings> cameras = new ArrayList<>();
        Map<String, Integer> lines = new TreeMap<>();
        for (ConfigField entry : list.elements()) {
            CameraSettings camera = camera(entry, draft.copy());
            Integer before = lines.put(camera.key(), entry.line());
            if (before != null) {
                throw entry.error("has the key \"" + camera.key() + "\", which the camera in line " + before
                        + " has: give each its own");
            }
            cameras.add(camera);
        }
        if (cameras.isEmpty()) {
            throw list.error("is empty: list at least one camera");
        }
        return cameras;
    }

    private static void set(CameraSettings.Draft draft, ConfigField field, Iterable<String> known, String further) {
        BiConsumer<CameraSettings.Draft, ConfigField> setter = FIELDS.get(field.name());
        if (setter == null) {
            throw field.error("there is no such field here: known are " + String.join(", ", known) + further);
        }
        setter.accept(draft, field);
    }

    private CameraSettings camera(ConfigField entry, CameraSettings.Draft draft) {
        ConfigField key = null;
        ConfigField url = null;
        for (ConfigField field : entry.members()) {
            switch (field.name()) {
                case KEY -> key = field;
                case URL -> url = field;
                default -> set(draft, field, FIELDS.keySet(), ", " + KEY + ", " + URL);
            }
        }
        if (key == null) {
            throw entry.error("has no field " + KEY + ": give the camera's stream a name, such as key: gate");
        }
        try {
            Publisher.builder(key.text());
        } catch (CuframesException e) {
            throw key.error(e.getMessage());
        }
        return draft.of(key.text(), url == null ? ofEnvironment(entry, key.text()) : address(url));
    }

    private String ofEnvironment(ConfigField entry, String key) {
        try {
            return SourceAddress.ofEnvironment(key, environment);
        } catch (IllegalArgumentException e) {
            throw entry.error("has no field " + URL + ", and " + e.getMessage());
        }
    }

    private String address(ConfigField url) {
        Path parent = file.toAbsolutePath().getParent();
        try {
            return SourceAddress.ofConfig(file, url.text(), parent);
        } catch (IllegalArgumentException e) {
            throw url.error(e.getMessage());
        }
    }

    /** The file as a tree that knows its lines: what objects would be made of it does not matter, and none are made. */
    private Node parse() {
        try {
            if (Files.size(file) > LONGEST_FILE) {
                throw new IllegalArgumentException(
                        file + ": has more than " + LONGEST_FILE + " bytes: this is no list of cameras");
            }
            LoaderOptions options = new LoaderOptions();
            options.setAllowDuplicateKeys(false);
            Node root = new Yaml(options).compose(new StringReader(Files.readString(file)));
            if (root == null) {
                throw new IllegalArgumentException(
                        file + ": is empty: list cameras under " + CAMERAS + ", each with key and url");
            }
            return root;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + ": is not UTF-8: save it as that", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    file + ": cannot be read (" + e + "): check its name and permissions", e);
        } catch (MarkedYAMLException e) {
            // Without the library's own text, which shows the lines around, passwords and all.
            int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
            throw new IllegalArgumentException(
                    file + ":" + line + ": is not YAML: " + e.getProblem()
                            + "; look at the indentation, and put what has one of @ : # in quotes",
                    null);
        } catch (YAMLException e) {
            throw new IllegalArgumentException(
                    file + ": is not YAML that can be read: it has a special character", null);
        }
    }
}
