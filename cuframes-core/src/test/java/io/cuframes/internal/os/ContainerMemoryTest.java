// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left of a container's memory, as control groups of both versions tell it. */
class ContainerMemoryTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path root;

    private Path membership() {
        return root.resolve("self");
    }

    private long available() {
        return new ContainerMemory(root.resolve("groups"), membership()).available();
    }

    private Path group(String path) throws IOException {
        return Files.createDirectories(root.resolve("groups").resolve(path));
    }

    private static void write(Path group, String file, String text) throws IOException {
        Files.writeString(group.resolve(file), text + "\n");
    }

    private static void version2(Path group, String limit, long used, String statistics) throws IOException {
        write(group, "memory.max", limit);
        write(group, "memory.current", Long.toString(used));
        write(group, "memory.stat", statistics);
    }

    /** A recorder's: of 512 MiB all are used but 10, and 400 are video that is on disk already. */
    @Test
    void pagesOfFilesCountAsLeft() throws IOException {
        String statistics = "anon " + 80 * MIB + "\nfile " + 422 * MIB + "\nshmem " + 20 * MIB + "\nfile_dirty " + MIB
                + "\nfile_writeback " + MIB + "\ninactive_file " + 390 * MIB + "\nactive_file " + 12 * MIB
                + "\nslab_reclaimable " + 3 * MIB;
        version2(group(""), Long.toString(512 * MIB), 502 * MIB, statistics);
        Files.writeString(membership(), "0::/\n");
        assertEquals((10 + 390 + 12 + 3 - 2) * MIB, available());
    }

    @Test
    void sharedMemoryIsNotLeft() throws IOException {
        version2(
                group(""),
                Long.toString(64 * MIB),
                60 * MIB,
                "file " + 50 * MIB + "\nshmem " + 50 * MIB + "\ninactive_file 0\nactive_file 0");
        assertEquals(4 * MIB, available());
    }

    @Test
    void theNarrowestOfTheGroupsAboveCounts() throws IOException {
        version2(group("pod"), Long.toString(100 * MIB), 70 * MIB, "inactive_file " + 5 * MIB);
        version2(group("pod/container"), "max", 40 * MIB, "inactive_file " + 5 * MIB);
        Files.writeString(membership(), "0::/pod/container\n");
        assertEquals(35 * MIB, available());
        version2(group("pod/container"), Long.toString(60 * MIB), 40 * MIB, "inactive_file " + MIB);
        assertEquals(21 * MIB, available());
    }

    @Test
    void version1IsKnownToo() throws IOException {
        Path group = group("memory/docker/1");
        write(group, "memory.limit_in_bytes", Long.toString(200 * MIB));
        write(group, "memory.usage_in_bytes", Long.toString(190 * MIB));
        write(
                group,
                "memory.stat",
                "cache 1\ninactive_file 0\ntotal_inactive_file " + 100 * MIB + "\ntotal_active_file " + 50 * MIB
                        + "\ntotal_dirty " + 30 * MIB + "\ntotal_writeback 0");
        Path above = group("memory");
        write(above, "memory.limit_in_bytes", "9223372036854771712");
        write(above, "memory.usage_in_bytes", Long.toString(900 * MIB));
        Files.writeString(membership(), "5:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/\n");
        assertEquals((10 + 120) * MIB, available());
    }

    /** A container that is shown the host's path of its group, and has that group mounted as the root. */
    @Test
    void aGroupThatIsNotMountedIsTheRoot() throws IOException {
        version2(group(""), Long.toString(64 * MIB), 60 * MIB, "");
        Files.writeString(membership(), "0::/../../kubepods/pod1\n");
        assertEquals(4 * MIB, available());
    }

    @Test
    void whatIsUsedBeyondTheLimitLeavesNothing() throws IOException {
        version2(group(""), Long.toString(64 * MIB), 65 * MIB, "");
        assertEquals(0, available());
    }

    @Test
    void whereNothingCanBeReadThereIsNoLimit() throws IOException {
        assertEquals(ContainerMemory.UNLIMITED, available());
        version2(group(""), "max", 65 * MIB, "");
        assertEquals(ContainerMemory.UNLIMITED, available());
        write(group(""), "memory.max", "no number");
        assertEquals(ContainerMemory.UNLIMITED, available());
    }
}
