// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.internal.cuda.Cuda;
import io.cuframes.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The doctor on this machine, and on ones that lack something. */
class DoctorTest {
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    @TempDir
    Path directory;

    private Path sockets;

    @BeforeEach
    void makeDirectory() throws IOException {
        sockets = Files.createDirectory(
                directory.resolve("sockets"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x---")));
    }

    private static Finding find(List<Finding> findings, Check check) {
        List<Finding> found =
                findings.stream().filter(each -> each.check() == check).toList();
        assertFalse(found.isEmpty(), () -> "no " + check + " in " + findings);
        return found.getFirst();
    }

    private static void assertWorks(Finding finding) {
        assertEquals(Outcome.WORKS, finding.outcome(), finding::toString);
    }

    private static Finding assertFails(Finding finding, String... words) {
        assertEquals(Outcome.FAILS, finding.outcome(), finding::toString);
        for (String word : words) {
            assertTrue(finding.toString().contains(word), () -> word + " in " + finding);
        }
        return finding;
    }

    private List<Finding> examine(Path sharedMemory, Path socketDirectory) {
        List<Finding> told = new ArrayList<>();
        List<Finding> findings =
                new Doctor(new Machine(Path.of("/")), sharedMemory, socketDirectory, Map.of(), told::add).examine();
        assertEquals(told, findings, "told as they were made");
        for (Finding finding : findings) {
            assertFalse(finding.found().isBlank(), finding::toString);
            assertFalse((finding.found() + finding.remedy()).contains("\n"), finding::toString);
        }
        return findings;
    }

    private static List<Path> list(Path path) throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            return files.sorted().toList();
        }
    }

    /** Everything that needs no GPU, with a frame that another process reads; nothing is left. */
    @Test
    void aMachineThatCanShareFramesIsFoundToDoSo() throws IOException {
        List<Finding> findings = examine(SHARED_MEMORY, sockets);
        for (Check check : List.of(Check.SEALED_MEMORY, Check.SHARED_MEMORY, Check.SOCKET_DIRECTORY, Check.HOST)) {
            assertWorks(find(findings, check));
        }
        assertTrue(
                find(findings, Check.HOST).found().contains("another process read "),
                find(findings, Check.HOST)::found);
        assertEquals(List.of(), list(sockets), "left in the socket directory");
        assertEquals(
                List.of(),
                list(SHARED_MEMORY).stream()
                        .filter(each -> each.getFileName().toString().startsWith("cuframes-doctor-"))
                        .toList());
    }

    @Test
    void whereThereIsNoGpuTheRestIsUntriedWithTheReason() {
        Needs.noGpu(Cuda.whyUnavailable() == null);
        List<Finding> findings = examine(SHARED_MEMORY, sockets);
        Finding driver = assertFails(find(findings, Check.DRIVER), "HOST");
        assertTrue(driver.remedy().contains("driver"), driver::remedy);
        for (Check check : List.of(Check.DEVICE, Check.STREAM_WRITES, Check.CUDA_VMM, Check.CUDA_IPC)) {
            Finding untried = find(findings, check);
            assertEquals(Outcome.UNTRIED, untried.outcome(), untried::toString);
            assertTrue(untried.found().contains(Check.DRIVER.title()), untried::toString);
        }
    }

    @Test
    void aDirectoryThatIsNotThereIsTriedAndNotMade() throws IOException {
        Path absent = directory.resolve("some/where/cuframes");
        List<Finding> findings = examine(SHARED_MEMORY, absent);
        assertWorks(find(findings, Check.SOCKET_DIRECTORY));
        assertWorks(find(findings, Check.HOST)); // in a temporary one
        assertEquals(List.of(sockets), list(directory));
    }

    @Test
    void aSocketDirectoryThatIsAFileIsNamedAndNothingIsPublished() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        List<Finding> findings = examine(SHARED_MEMORY, file);
        assertFails(find(findings, Check.SOCKET_DIRECTORY), file.toString(), "is not a directory", "--socket-dir");
        Finding host = find(findings, Check.HOST);
        assertEquals(Outcome.UNTRIED, host.outcome());
        assertTrue(host.remedy().contains(Check.SOCKET_DIRECTORY.title()), host::remedy);
    }

    @Test
    void aSocketDirectoryOfTooLongANameIsNamed() throws IOException {
        Path deep = Files.createDirectory(directory.resolve("d".repeat(120)));
        assertFails(find(examine(SHARED_MEMORY, deep), Check.SOCKET_DIRECTORY), "may have 107");
    }

    @Test
    void aDirectoryThatKeepsTheAdmittedOutIsANote() throws IOException {
        Files.setPosixFilePermissions(sockets, PosixFilePermissions.fromString("rwx------"));
        Finding finding = find(examine(SHARED_MEMORY, sockets), Check.SOCKET_DIRECTORY);
        assertEquals(Outcome.NOTE, finding.outcome(), finding::toString);
        assertTrue(finding.found().contains("mode 700"), finding::found);
        assertTrue(finding.remedy().contains("chmod 0710 " + sockets), finding::remedy);
    }

    @Test
    void sharedMemoryThatIsNoTmpfsOrNotThereIsNamed() {
        Finding absent = find(examine(directory.resolve("absent"), sockets), Check.SHARED_MEMORY);
        assertFails(absent, "ENOENT", "--shm-size");
        Path proc = Path.of("/proc/self"); // where nothing can be made
        assertFails(find(examine(proc, sockets), Check.SHARED_MEMORY), proc.toString());
    }

    @Test
    void aFindingIsOneLineAndHasARemedyExactlyWhereItNeedsOne() {
        assertEquals("a; b", Finding.works(Check.HOST, "", "a\n   b").found());
        assertThrows(IllegalArgumentException.class, () -> Finding.fails(Check.HOST, "", "a", ""));
        assertThrows(
                IllegalArgumentException.class, () -> new Finding(Check.HOST, Outcome.WORKS, "", "a", "do something"));
    }
}
