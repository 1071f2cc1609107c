// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What the kernel says of the machine that this process sees.
 *
 * @param root of the file system that has its {@code /proc}
 */
record Machine(Path root) {
    /** The first namespace of each kind has a fixed number, {@code PROC_*_INIT_INO} of the kernel's include/linux/proc_ns.h. */
    private static final Map<String, Long> FIRST = Map.of("pid", 0xEFFFFFFCL, "ipc", 0xEFFFFFFFL, "user", 0xEFFFFFFDL);

    private static final List<String> KINDS = List.of("pid", "ipc", "user");

    /** Its release, such as 6.1.0-13-amd64; "of unknown release" where /proc does not say. */
    String kernel() {
        return read("proc/sys/kernel/osrelease", "of unknown release").strip();
    }

    /** Whether Windows runs beneath. */
    boolean isWsl() {
        return kernel().toLowerCase(Locale.ROOT).contains("microsoft") || Files.exists(root.resolve("dev/dxg"));
    }

    /** The kinds of namespaces of which this process has not the host's. */
    private List<String> ownNamespaces() {
        List<String> own = new ArrayList<>();
        for (String kind : KINDS) {
            try {
                String link = Files.readSymbolicLink(root.resolve("proc/self/ns/" + kind))
                        .toString();
                if (!link.equals(kind + ":[" + FIRST.get(kind) + "]")) {
                    own.add(kind);
                }
            } catch (IOException e) {
                own.add(kind + " (unknown: " + e + ")");
            }
        }
        return own;
    }

    /** Whether other users' ids look like another's here. */
    boolean hasOwnUsers() {
        return ownNamespaces().contains("user")
                && !read("proc/self/uid_map", "").strip().matches("0 +0 +4294967295");
    }

    /** Whether this process is in a container: its file system is then most likely its own. */
    boolean isContained() {
        return ownNamespaces().contains("pid")
                || Files.exists(root.resolve(".dockerenv"))
                || Files.exists(root.resolve("run/.containerenv"));
    }

    String describeNamespaces() {
        List<String> own = ownNamespaces();
        return own.isEmpty() ? "those of the host" : "its own: " + String.join(", ", own);
    }

    /** Whether a directory is not of the root's file system: mounted there, or beneath what is. */
    boolean isMounted(Path directory) {
        String name = directory.toAbsolutePath().normalize().toString();
        for (String line : read("proc/self/mountinfo", "").split("\n", -1)) {
            String[] fields = line.split(" ", 6); // proc_pid_mountinfo(5): the fifth is the mount point
            String point = fields.length == 6 ? fields[4].replace("\\040", " ") : "/";
            if (!point.equals("/") && (name.equals(point) || name.startsWith(point + "/"))) {
                return true;
            }
        }
        return false;
    }

    /** The kernel module's version, as in 580.95.05; "" where there is none. */
    String driverVersion() {
        String text = read("proc/driver/nvidia/version", "");
        return text.lines()
                .filter(line -> line.startsWith("NVRM version:"))
                .map(line -> line.replaceFirst(".*?\\b(\\d+\\.\\d+(\\.\\d+)?)\\b.*", "$1"))
                .findFirst()
                .orElse("");
    }

    private String read(String file, String otherwise) {
        try {
            return Files.readString(root.resolve(file));
        } catch (IOException e) {
            return otherwise;
        }
    }
}
