// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every row of the table of hostile inputs in docs/reliability.md names tests, and those are there. */
class HostileInputTableTest {
    private static final int ROWS_AT_LEAST = 40;
    private static final Pattern ROW = Pattern.compile("\\| (\\d+) \\| (.+) \\| (.+) \\| (`.+`) \\|");
    private static final Pattern NAME = Pattern.compile("`(\\w+)#(\\w+)`");

    @Test
    void everyInputHasATestThatIsThere() throws IOException {
        Map<String, String> sources = sources();
        List<Integer> numbers = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("../docs/reliability.md"))) {
            Matcher row = ROW.matcher(line);
            if (!row.matches()) {
                assertTrue(!line.matches("\\| \\d+ \\|.*"), "not a row of four: " + line);
                continue;
            }
            numbers.add(Integer.parseInt(row.group(1)));
            Matcher name = NAME.matcher(row.group(4));
            int tests = 0;
            for (; name.find(); tests++) {
                String source = sources.get(name.group(1));
                assertTrue(source != null && isTest(source, name.group(2)), name.group());
            }
            assertTrue(tests > 0, line);
        }
        assertEquals(Stream.iterate(1, n -> n + 1).limit(numbers.size()).toList(), numbers);
        assertTrue(numbers.size() >= ROWS_AT_LEAST, numbers.size() + " rows");
    }

    private static boolean isTest(String source, String method) {
        int at = source.indexOf("void " + method + "(");
        String before = at < 0 ? "" : source.substring(source.lastIndexOf("\n\n", at), at);
        return before.contains("@Test") || before.contains("@ParameterizedTest");
    }

    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new TreeMap<>();
        for (String module : List.of("native", "core", "javacv", "tools")) {
            try (Stream<Path> files = Files.walk(Path.of("../cuframes-" + module, "src", "test", "java"))) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    String name = file.getFileName().toString();
                    sources.put(name.substring(0, name.length() - ".java".length()), Files.readString(file));
                }
            }
        }
        return sources;
    }
}
