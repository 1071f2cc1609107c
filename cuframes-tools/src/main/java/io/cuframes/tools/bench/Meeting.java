// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How the processes of a case know of each other that they are ready: a file for each in the directory they share. */
final class Meeting {
    private static final long POLL_MILLIS = 2;

    private final Path directory;

    Meeting(RoleSpec spec) {
        directory = Path.of(spec.directory());
    }

    /** Says that this process is ready. */
    void ready(String who) {
        try {
            Files.createFile(directory.resolve("ready-" + who));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until another process is; the time limit of the role ends a wait in vain. */
    void await(String who) throws InterruptedException {
        while (!Files.exists(directory.resolve("ready-" + who))) {
            Thread.sleep(POLL_MILLIS);
        }
    }
}
