// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** A key nobody else uses and a socket directory of its own; removed at the end, whatever the test left there. */
public final class StreamFixture implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();

    private final String key = "test-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
    private final Path directory;

    public StreamFixture() {
        try {
            directory = Files.createTempDirectory("cuframes");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String key() {
        return key;
    }

    public Path directory() {
        return directory;
    }

    public Path segment() {
        return Path.of("/dev/shm/cuframes-" + key);
    }

    /** What the publisher of this stream holds locked. */
    public Path lock() {
        return Path.of("/dev/shm/.cuframes-" + key + ".lock");
    }

    public Path socket() {
        return directory.resolve(key + ".sock");
    }

    /** The names of this stream that are there now. */
    public List<Path> remains() {
        List<Path> found = new ArrayList<>();
        Stream.of(segment(), lock()).filter(Files::exists).forEach(found::add);
        try (Stream<Path> files = Files.list(directory)) {
            files.forEach(found::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    /** The open descriptors of this process of the kinds that cuframes opens. */
    public static List<String> descriptors() {
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            for (Path file : files.toList()) {
                String target = target(file);
                if (target.matches("(/memfd:cuframes|/dev/shm|socket:|anon_inode:\\[eventfd).*")) {
                    found.add(file.getFileName() + " -> " + target);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    /** Where a link leads; empty if it is gone by now, for other threads close descriptors of theirs. */
    private static String target(Path link) throws IOException {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (NoSuchFileException | NotLinkException e) {
            return "";
        }
    }

    /** The mappings of this process that lead to cuframes objects. */
    public static List<String> mappings() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains("/dev/shm") || line.contains("memfd:cuframes"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(segment());
            Files.deleteIfExists(lock());
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
