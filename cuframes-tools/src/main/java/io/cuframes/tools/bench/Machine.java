// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the figures are of.
 *
 * @param processor its model, or its architecture where the kernel does not name it
 * @param cores that this process may use
 * @param kernel of Linux
 * @param java its version
 * @param device the GPU; null if none was used
 */
record Machine(String processor, int cores, String kernel, String java, String device) {
    static Machine here(Cores cores, String device) throws IOException {
        String processor = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
        return new Machine(
                processor,
                cores.count(),
                System.getProperty("os.version"),
                Runtime.version().toString(),
                device);
    }

    String text() {
        return (device == null ? "" : device + ", ") + cores + (cores == 1 ? " core" : " cores") + " of " + processor
                + ", Linux " + kernel + ", Java " + java;
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("processor", processor);
        json.addProperty("cores", cores);
        json.addProperty("kernel", kernel);
        json.addProperty("java", java);
        json.addProperty("device", device);
        return json;
    }
}
