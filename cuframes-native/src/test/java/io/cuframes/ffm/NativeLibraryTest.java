// SPDX-License-Identifier: Apache-2.0
package io.cuframes.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
    private static final Map<String, String> NOTHING = Map.of();

    @TempDir
    private Path prefix;

    @Test
    void theNewestRuntimeIsTriedFirstByNameThenInTheToolkits() throws IOException {
        Files.createDirectories(prefix.resolve("local/cuda-13.0/targets/sbsa-linux"));
        Files.createDirectories(prefix.resolve("local/cuda-12.4"));
        Files.createDirectories(prefix.resolve("local/cuda-13.1"));

        List<String> candidates =
                NativeLibrary.CUDART.candidates(NOTHING::get, Map.of("CUDA_HOME", "/opt/cuda")::get, prefix);

        assertEquals(List.of("libcudart.so.13", "libcudart.so.12", "libcudart.so"), candidates.subList(0, 3));
        List<String> directories = candidates.stream()
                .filter(c -> c.startsWith("/"))
                .map(c -> Path.of(c).getParent().toString())
                .distinct()
                .toList();
        String local = prefix + "/local/";
        assertEquals(
                List.of(
                        "/opt/cuda/lib64",
                        local + "cuda/lib64",
                        local + "cuda-13.1/lib64",
                        local + "cuda-13.0/lib64",
                        local + "cuda-13.0/targets/sbsa-linux/lib",
                        local + "cuda-12.4/lib64"),
                directories);
    }

    @Test
    void whatThePropertyNamesIsTheOnlyCandidateAndBeatsTheEnvironment() {
        Map<String, String> properties = Map.of("cuframes.cudart", "/a/libcudart.so");
        Map<String, String> environment = Map.of("CUFRAMES_CUDART", "/b/libcudart.so");
        assertEquals(
                List.of("/a/libcudart.so"), NativeLibrary.CUDART.candidates(properties::get, environment::get, prefix));
        assertEquals(
                List.of("/b/libcudart.so"), NativeLibrary.CUDART.candidates(NOTHING::get, environment::get, prefix));
    }

    @Test
    void aBadPropertyFailsAtOnceAndIsNamed() {
        Map<String, String> properties = Map.of("cuframes.cuda", "/nowhere/libcuda.so.1");
        String message = assertThrows(
                        LibraryNotFoundException.class,
                        () -> NativeLibrary.CUDA.open(properties::get, NOTHING::get, prefix))
                .getMessage();
        assertTrue(message.contains("-Dcuframes.cuda"), message);
        assertTrue(message.contains("/nowhere/libcuda.so.1: no such file"), message);
        assertFalse(message.contains("libcuda.so:"), message);
    }

    @Test
    void theErrorListsEveryPlaceTriedAndWhy() throws IOException {
        Path library = prefix.resolve("broken.so");
        Files.writeString(library, "not a library");
        Map<String, String> properties = Map.of("cuframes.cudart", library.toString());
        String broken = assertThrows(
                        LibraryNotFoundException.class,
                        () -> NativeLibrary.CUDART.open(properties::get, NOTHING::get, prefix))
                .getMessage();
        assertTrue(broken.contains(library + ": is there, but cannot be loaded"), broken);

        NativeLibrary absent = new NativeLibrary(
                "nothing",
                "cuframes.nothing",
                "CUFRAMES_NOTHING",
                List.of("libno_such.so.2", "libno_such.so"),
                "",
                (environment, root) -> List.of(root.resolve("lib")));
        String message = assertThrows(
                        LibraryNotFoundException.class, () -> absent.open(NOTHING::get, NOTHING::get, prefix))
                .getMessage();
        for (String candidate : absent.candidates(NOTHING::get, NOTHING::get, prefix)) {
            assertTrue(message.contains("\n  " + candidate + ": "), message);
        }
    }
}
