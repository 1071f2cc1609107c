// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A process of the benchmark. Ends with the one that started it, whose end it sees by that of its standard input, and when its time is up; it then
 * removes what the processes of its case meet in, since nobody else may be left to do so.
 */
public final class BenchRole {
    private static final int FAILED = 5;

    private BenchRole() {}

    /**
     * Plays a part, prints what was measured as a line of JSON, and exits.
     *
     * @param arguments one: what to do, as JSON
     */
    public static void main(String[] arguments) {
        RoleSpec spec = new Gson().fromJson(arguments[0], RoleSpec.class);
        daemon("bench-stdin", () -> endWithParent(spec));
        daemon("bench-limit", () -> endInTime(spec));
        try {
            System.out.println(run(spec));
            System.out.flush();
            Runtime.getRuntime().halt(0); // nothing is left to be done, and CUDA's own exit takes long
        } catch (InterruptedException | RuntimeException | Error e) {
            System.err.println(e instanceof IllegalStateException ? e.getMessage() : e.toString());
            e.printStackTrace();
            System.err.flush();
            Runtime.getRuntime().halt(FAILED);
        }
    }

    private static JsonObject run(RoleSpec spec) throws InterruptedException {
        return switch (spec.role()) {
            case PROBE -> ProbeRole.run(spec);
            case BOTH -> (spec.mode() == Mode.HOST_FLOOR ? FloorRole.onHost(spec) : FloorRole.onGpu(spec)).toJson();
            case PUBLISHER ->
                switch (spec.mode()) {
                    case STREAM_WAIT -> StreamWaitRole.publisher(spec).toJson();
                    case HOST_COPY, HOST_COPY_PINNED ->
                        HostCopyRole.publisher(spec).toJson();
                    default -> RingRole.publisher(spec).toJson();
                };
            case SUBSCRIBER ->
                switch (spec.mode()) {
                    case STREAM_WAIT -> StreamWaitRole.subscriber(spec).toJson();
                    case HOST_COPY, HOST_COPY_PINNED ->
                        HostCopyRole.subscriber(spec).toJson();
                    default -> RingRole.subscriber(spec).toJson();
                };
        };
    }

    private static void daemon(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void endWithParent(RoleSpec spec) {
        byte[] ignored = new byte[64];
        try {
            while (System.in.read(ignored) >= 0) {
                // whatever it says
            }
        } catch (IOException e) {
            // as good as its end
        }
        cleanUp(spec);
        Runtime.getRuntime().halt(FAILED);
    }

    private static void endInTime(RoleSpec spec) {
        try {
            TimeUnit.SECONDS.sleep(spec.limitSeconds());
        } catch (InterruptedException e) {
            return;
        }
        System.err.println("not done within " + spec.limitSeconds() + " s");
        System.err.flush();
        Runtime.getRuntime().halt(FAILED);
    }

    /** Removes the directory the processes of a case meet in, and what they may have left in shared memory. Harmless where it is gone. */
    static void cleanUp(RoleSpec spec) {
        remove(Path.of("/dev/shm"), "cuframes-" + spec.key() + "-*");
        Path directory = Path.of(spec.directory());
        remove(directory, "*");
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            // Another process of the case still puts something there; it cleans up, too.
        }
    }

    private static void remove(Path directory, String glob) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, glob)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // As above.
        }
    }
}
