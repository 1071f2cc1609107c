// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Machines of other kinds, by what their {@code /proc} says. */
class MachineTest {
    private static final String HOST_PID = "pid:[4026531836]";
    private static final String HOST_IPC = "ipc:[4026531839]";
    private static final String HOST_USER = "user:[4026531837]";

    @TempDir
    Path root;

    private Machine machine;
    private HostChecks checks;

    @BeforeEach
    void aPlainHost() throws IOException {
        machine = new Machine(root);
        checks = new HostChecks(Path.of("/dev/shm"), machine);
        write("proc/sys/kernel/osrelease", "6.1.0-13-amd64\n");
        write("proc/self/uid_map", "         0          0 4294967295\n");
        write("proc/self/mountinfo", "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
        Files.createDirectories(root.resolve("proc/self/ns"));
        link("pid", HOST_PID);
        link("ipc", HOST_IPC);
        link("user", HOST_USER);
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    private void link(String kind, String target) throws IOException {
        Path link = root.resolve("proc/self/ns/" + kind);
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, Path.of(target));
    }

    @Test
    void aPlainHostIsOne() {
        assertEquals("6.1.0-13-amd64", machine.kernel());
        assertFalse(machine.isWsl());
        assertFalse(machine.isContained());
        assertFalse(machine.hasOwnUsers());
        assertEquals(Outcome.WORKS, checks.wsl().outcome());
        Finding namespaces = checks.namespaces(Path.of("/run/cuframes"));
        assertEquals(Outcome.WORKS, namespaces.outcome(), namespaces::toString);
        assertEquals("those of the host", namespaces.found());
    }

    @Test
    void windowsBeneathIsSeenByTheKernelsNameOrItsDevice() throws IOException {
        write("proc/sys/kernel/osrelease", "5.15.153.1-microsoft-standard-WSL2\n");
        Finding finding = checks.wsl();
        assertEquals(Outcome.NOTE, finding.outcome());
        assertTrue(finding.found().contains("5.15.153.1-microsoft-standard-WSL2"), finding::found);
        assertTrue(finding.remedy().contains("HOST works"), finding::remedy);

        write("proc/sys/kernel/osrelease", "6.6.1-custom\n");
        assertFalse(machine.isWsl());
        write("dev/dxg", "");
        assertTrue(machine.isWsl());
    }

    @Test
    void aContainerIsToldToShareItsSocketDirectory() throws IOException {
        link("pid", "pid:[4026532450]");
        link("ipc", "ipc:[4026532451]");
        Finding alone = checks.namespaces(Path.of("/run/cuframes"));
        assertEquals(Outcome.NOTE, alone.outcome());
        assertTrue(alone.found().contains("pid, ipc"), alone::found);
        assertTrue(alone.remedy().contains("-v /run/cuframes:/run/cuframes"), alone::remedy);

        write(
                "proc/self/mountinfo",
                "21 1 0:50 / / rw - overlay overlay rw\n30 21 8:1 /srv/my\\040cams /run/cuframes rw - ext4 /dev/sda1 rw\n");
        assertEquals(Outcome.WORKS, checks.namespaces(Path.of("/run/cuframes")).outcome());
        assertFalse(machine.isMounted(Path.of("/run/cuframes-other")));
        assertTrue(machine.isMounted(Path.of("/run/cuframes/deeper")));
    }

    @Test
    void aContainerThatHasTheHostsNamespacesIsKnownByItsMark() throws IOException {
        write(".dockerenv", "");
        assertTrue(machine.isContained());
        Files.delete(root.resolve(".dockerenv"));
        write("run/.containerenv", "");
        assertTrue(machine.isContained());
    }

    @Test
    void aUserNamespaceOfItsOwnIsNamed() throws IOException {
        link("user", "user:[4026532777]");
        assertFalse(machine.hasOwnUsers(), "one that maps every user to itself");
        write("proc/self/uid_map", "         0       1000          1\n");
        Finding finding = checks.namespaces(Path.of("/run/cuframes"));
        assertEquals(Outcome.NOTE, finding.outcome());
        assertTrue(finding.found().contains("65534"), finding::found);
    }

    @Test
    void theKernelModulesVersionIsRead() throws IOException {
        assertEquals("", machine.driverVersion());
        write("proc/driver/nvidia/version", """
                NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (dvs-builder@U16)
                GCC version:  gcc version 13.2.0
                """);
        assertEquals("580.95.05", machine.driverVersion());
    }

    @Test
    void aMachineWithoutProcIsNoError() throws IOException {
        Machine bare = new Machine(Files.createDirectories(root.resolve("bare")));
        assertEquals("of unknown release", bare.kernel());
        assertFalse(bare.isWsl());
        assertFalse(bare.isMounted(Path.of("/run")));
        assertTrue(bare.describeNamespaces().contains("unknown"), bare::describeNamespaces);
    }
}
