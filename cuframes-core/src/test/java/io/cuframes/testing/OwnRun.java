// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A mount namespace with an empty {@code /run} of its own, as a machine that was just started has; processes are started in it. Only root can. */
public final class OwnRun implements AutoCloseable {
    private final Process holder;

    /** Makes it; skips the test where that is not possible. */
    public OwnRun() {
        try {
            holder = new ProcessBuilder(
                            "unshare",
                            "--mount",
                            "sh",
                            "-c",
                            "mount -t tmpfs -o mode=755 own /run && echo there && cat")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            BufferedReader output = holder.inputReader(StandardCharsets.UTF_8);
            Needs.that("there".equals(output.readLine()), "the right to make a mount namespace, as root has it");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What starts a program in it: its command, with the program's behind. */
    public List<String> entry() {
        return List.of("nsenter", "--mount=/proc/" + holder.pid() + "/ns/mnt");
    }

    /** The path that leads there from outside. */
    public Path path() {
        return Path.of("/proc/" + holder.pid() + "/root/run");
    }

    @Override
    public void close() {
        holder.destroyForcibly();
        try {
            holder.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
