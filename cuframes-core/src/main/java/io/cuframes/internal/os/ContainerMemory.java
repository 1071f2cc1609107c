// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is left of the memory limits of the control groups that this process is in, such as its container's; cgroups(7), versions 1 and 2. Pages of files
 * that the kernel keeps in memory count as used there, and are freed when the memory is needed: a container that records video has hardly anything
 * else. They count as left here, but for those that must be written to their disk first.
 *
 * @param groups where control groups are mounted, {@code /sys/fs/cgroup}
 * @param membership which of them this process is in, {@code /proc/self/cgroup}
 */
record ContainerMemory(Path groups, Path membership) {
    /** No limit, or none that can be read: then the reservation itself must tell. */
    static final long UNLIMITED = Long.MAX_VALUE;

    /** Names of one version's files and of the counters in its memory.stat. */
    private record Version(String limit, String used, List<String> cached, List<String> unwritten) {}

    private static final Version V1 = new Version(
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            List.of("total_inactive_file", "total_active_file"),
            List.of("total_dirty", "total_writeback"));

    private static final Version V2 = new Version(
            "memory.max",
            "memory.current",
            List.of("inactive_file", "active_file", "slab_reclaimable"),
            List.of("file_dirty", "file_writeback"));

    /** Bytes that can still be had; {@link #UNLIMITED} where there is no limit. */
    long available() {
        long least = Math.min(least(groups, groups, V2), least(groups.resolve("memory"), groups.resolve("memory"), V1));
        for (String line : lines(membership)) {
            String[] fields = line.split(":", 3);
            if (fields.length < 3) {
                continue;
            }
            if (fields[0].equals("0") && fields[1].isEmpty()) {
                least = Math.min(least, least(groups, inside(groups, fields[2]), V2));
            } else if (List.of(fields[1].split(",", -1)).contains("memory")) {
                Path root = groups.resolve("memory");
                least = Math.min(least, least(root, inside(root, fields[2]), V1));
            }
        }
        return least;
    }

    /** A group's directory; the root where that is not mounted, as in a container that sees its own group there. */
    private static Path inside(Path root, String group) {
        Path path = root.resolve(group.replaceFirst("^/+", "")).normalize();
        return path.startsWith(root) && Files.isDirectory(path) ? path : root;
    }

    /** The least that is left of a group and of those above it: each limits what is in it. */
    private static long least(Path root, Path group, Version version) {
        long least = UNLIMITED;
        for (Path each = group; each != null && each.startsWith(root); each = each.getParent()) {
            least = Math.min(least, left(each, version));
        }
        return least;
    }

    private static long left(Path group, Version version) {
        long limit = number(group.resolve(version.limit()));
        long used = number(group.resolve(version.used()));
        if (limit == UNLIMITED || used == UNLIMITED) {
            return UNLIMITED;
        }
        Map<String, Long> statistics = statistics(group.resolve("memory.stat"));
        long reclaimable = Math.max(0, sum(statistics, version.cached()) - sum(statistics, version.unwritten()));
        return Math.clamp(limit - used + Math.min(reclaimable, used), 0, limit);
    }

    private static long sum(Map<String, Long> statistics, List<String> names) {
        return names.stream()
                .mapToLong(name -> statistics.getOrDefault(name, 0L))
                .sum();
    }

    private static Map<String, Long> statistics(Path file) {
        Map<String, Long> statistics = new HashMap<>();
        for (String line : lines(file)) {
            String[] words = line.split(" ", -1);
            if (words.length == 2) {
                statistics.put(words[0], parse(words[1], 0));
            }
        }
        return statistics;
    }

    private static long number(Path file) {
        List<String> lines = lines(file);
        return lines.isEmpty() ? UNLIMITED : parse(lines.getFirst(), UNLIMITED);
    }

    private static long parse(String text, long otherwise) {
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            return otherwise; // "max"
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            return List.of(); // a group that has just been removed, or a file of another kernel
        }
    }
}
