// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The cores this process may use, given out to the processes of a case by {@code taskset}. */
final class Cores {
    private final List<Integer> allowed;

    private Cores(List<Integer> allowed) {
        this.allowed = allowed;
    }

    static Cores ofThisProcess() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("Cpus_allowed_list:")) {
                return new Cores(parse(line.substring(line.indexOf(':') + 1).strip()));
            }
        }
        throw new IllegalStateException("/proc/self/status does not say which cores may be used");
    }

    /** Reads the kernel's list, such as {@code 0-3,8}. */
    static List<Integer> parse(String list) {
        List<Integer> cores = new ArrayList<>();
        for (String part : list.split(",", -1)) {
            int dash = part.indexOf('-');
            int first = Integer.parseInt(dash < 0 ? part : part.substring(0, dash));
            int last = dash < 0 ? first : Integer.parseInt(part.substring(dash + 1));
            for (int core = first; core <= last; core++) {
                cores.add(core);
            }
        }
        return cores;
    }

    /** Why processes cannot be pinned; null if they can. */
    String whyNot(int readers) {
        if (Stream.of("/usr/bin/taskset", "/bin/taskset").noneMatch(file -> Files.isExecutable(Path.of(file)))) {
            return "--pin needs taskset: install util-linux, or leave --pin out";
        }
        if (allowed.size() < readers + 1) {
            return "--pin gives every process a core of its own, at least " + (readers + 1) + " for one publisher and "
                    + readers + " subscribers, and this process may use " + allowed.size() + ": leave --pin out";
        }
        return null;
    }

    /** What a process is started by: the writer, number 0, has the cores that are left over too, up to four, as it has threads that wake and serve. */
    List<String> prefix(int process, int readers) {
        int writers = Math.min(4, allowed.size() - readers);
        List<Integer> cores = process == 0 ? allowed.subList(0, writers) : List.of(allowed.get(writers + process - 1));
        return List.of(
                "taskset",
                "-c",
                cores.stream().map(core -> Integer.toString(core)).collect(Collectors.joining(",")));
    }

    /** How many there are. */
    int count() {
        return allowed.size();
    }
}
