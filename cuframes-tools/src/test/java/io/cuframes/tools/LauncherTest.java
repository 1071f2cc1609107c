// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** bin/cuframes in a checkout of nothing, with a Java that prints its command line and a Maven that makes the jars. */
class LauncherTest {
    private static final String RELEASE = "JAVA_VERSION=\"25.0.1\"\n";

    private static final String MAVEN = """
            echo "$@" >>"$PWD/maven-runs"
            sleep 1
            mkdir -p cuframes-tools/target/cuframes/lib
            : >cuframes-tools/target/cuframes/lib/tools.jar
            """;

    @TempDir
    Path directory;

    private Path root;
    private Path tools;
    private Path jdk;

    @BeforeEach
    void makeACheckout() throws IOException {
        root = directory.resolve("a check out");
        tools = Files.createDirectories(directory.resolve("tools"));
        jdk = directory.resolve("a jdk");
        Files.createDirectories(root.resolve("bin"));
        Path launcher = Path.of("..", "bin", "cuframes");
        script(root.resolve("bin/cuframes"), Files.readString(launcher));
        for (String sourced : List.of("find-java.sh", "start-archive.sh", "RaiseClassVersion.java")) {
            Files.copy(launcher.resolveSibling(sourced), root.resolve("bin").resolve(sourced));
        }
        for (String module : List.of("cuframes-native", "cuframes-core", "cuframes-javacv", "cuframes-tools")) {
            Files.createDirectories(root.resolve(module).resolve("src/main"));
            Files.createFile(root.resolve(module).resolve("pom.xml"));
        }
        Files.createFile(root.resolve("pom.xml"));
        makeJdk(jdk, RELEASE);
        for (String needed : List.of(
                "dirname", "readlink", "sed", "find", "head", "mkdir", "rm", "mv", "cat", "flock", "sleep", "tr")) {
            script(tools.resolve(needed), "exec " + which(needed) + " \"$@\"\n");
        }
    }

    private static Path which(String program) {
        return Stream.of("/usr/bin", "/bin")
                .map(folder -> Path.of(folder, program))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow();
    }

    private static void script(Path path, String text) throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, text.startsWith("#!") ? text : "#!/bin/sh\n" + text);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static void makeJdk(Path home, String release) throws IOException {
        script(home.resolve("bin/java"), "for word; do echo \"$word\"; done\n");
        script(home.resolve("bin/javac"), "exit 1\n");
        Files.writeString(home.resolve("release"), release);
    }

    private Tool launch(Path launcher, Map<String, String> environment, String... arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(Stream.concat(Stream.of(launcher.toString()), Stream.of(arguments))
                .toList());
        builder.directory(directory.toFile());
        builder.environment().clear();
        builder.environment().put("PATH", tools.toString());
        builder.environment().put("HOME", directory.toString());
        builder.environment().putAll(environment);
        return Tool.start(directory, builder);
    }

    private Tool launch(String... arguments) throws IOException {
        return launch(root.resolve("bin/cuframes"), Map.of("JAVA_HOME", jdk.toString()), arguments);
    }

    private void makeMaven(String text) throws IOException {
        script(tools.resolve("mvn"), text);
    }

    /** The usual places of the machine that runs the test may well hold a JDK. */
    private void hideTheMachinesOwn() throws IOException {
        Path finder = root.resolve("bin/find-java.sh");
        String text = Files.readString(finder);
        assertTrue(text.contains("/usr/lib/jvm/* /opt/*"));
        Files.writeString(finder, text.replace("/usr/lib/jvm/* /opt/*", ""));
    }

    private long mavenRuns() throws IOException {
        Path runs = root.resolve("maven-runs");
        return Files.exists(runs) ? Files.readAllLines(runs).size() : 0;
    }

    @Test
    void buildsOnFirstUseAndNotAgain() throws Exception {
        makeMaven(MAVEN);
        try (Tool first = launch("sub-count", "--key", "a b")) {
            assertEquals(0, first.await(), first.err());
            assertTrue(first.err().contains("first use: building with Maven"), first.err());
            List<String> words = first.out().lines().toList();
            assertEquals(List.of("sub-count", "--key", "a b"), words.subList(words.size() - 3, words.size()));
            assertTrue(words.contains("--enable-native-access=ALL-UNNAMED"), first.out());
            assertTrue(
                    words.contains(root.toRealPath() + "/cuframes-tools/target/cuframes/lib/tools.jar"), first.out());
        }
        try (Tool second = launch("--version")) {
            assertEquals(0, second.await(), second.err());
            assertEquals("", second.err());
        }
        assertEquals(1, mavenRuns());
    }

    @Test
    void buildsAgainWhenASourceIsNewer() throws Exception {
        makeMaven(MAVEN);
        launch("--version").await();
        Path source = Files.createFile(root.resolve("cuframes-core/src/main/New.java"));
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
        try (Tool tool = launch("--version")) {
            assertEquals(0, tool.await(), tool.err());
            assertTrue(tool.err().contains("the sources are newer than the build"), tool.err());
        }
        assertEquals(2, mavenRuns());
    }

    @Test
    void twoFirstUsesBuildOnce() throws Exception {
        makeMaven(MAVEN);
        try (Tool one = launch("--version");
                Tool other = launch("--version")) {
            assertEquals(0, one.await(), one.err());
            assertEquals(0, other.await(), other.err());
            assertTrue((one.err() + other.err()).contains("another cuframes is building"), one.err() + other.err());
        }
        assertEquals(1, mavenRuns());
    }

    @Test
    void aBuildThatFailsShowsItsLog() throws Exception {
        makeMaven("echo 'no such plugin'\nexit 1\n");
        try (Tool tool = launch("--version")) {
            assertEquals(5, tool.await());
            assertTrue(tool.err().contains("no such plugin"), tool.err());
            assertTrue(tool.err().contains("the build failed"), tool.err());
            assertEquals("", tool.out());
        }
    }

    @Test
    void withoutMavenItSaysWhatToInstall() throws Exception {
        try (Tool tool = launch("--version")) {
            assertEquals(5, tool.await());
            assertTrue(tool.err().contains("needs Maven 3.8 or newer"), tool.err());
        }
    }

    @Test
    void runsThroughALinkFromAnotherDirectory() throws Exception {
        makeMaven(MAVEN);
        Path link = Files.createDirectories(directory.resolve("links")).resolve("cuframes");
        Files.createSymbolicLink(link, Path.of("..", "a check out", "bin", "cuframes"));
        try (Tool tool = launch(link, Map.of("JAVA_HOME", jdk.toString()), "demo")) {
            assertEquals(0, tool.await(), tool.err());
            assertTrue(tool.out().endsWith("io.cuframes.tools.Cuframes\ndemo\n"), tool.out());
        }
    }

    @Test
    void isAlsoTheProgramsThatItIsLinkedToAs() throws Exception {
        makeMaven(MAVEN);
        for (String program : List.of("cuframes-rtsp-source", "sub_count")) {
            Path linked = Path.of("..", "bin", program);
            assertEquals(Path.of("cuframes"), Files.readSymbolicLink(linked));
            Path link = Files.createSymbolicLink(root.resolve("bin").resolve(program), Path.of("cuframes"));
            try (Tool tool = launch(link, Map.of("JAVA_HOME", jdk.toString()), "--key", "a b")) {
                assertEquals(0, tool.await(), tool.err());
                assertTrue(
                        tool.out().endsWith("io.cuframes.tools.Cuframes\n" + program + "\n--key\na b\n"), tool.out());
            }
        }
    }

    @Test
    void passesMoreJavaOptions() throws Exception {
        makeMaven(MAVEN);
        Map<String, String> environment =
                Map.of("JAVA_HOME", jdk.toString(), "CUFRAMES_JAVA_OPTS", "-Xmx64m -Dcuframes.socketDir=/x");
        try (Tool tool = launch(root.resolve("bin/cuframes"), environment, "demo")) {
            assertEquals(0, tool.await(), tool.err());
            assertTrue(tool.out().contains("-Xmx64m\n-Dcuframes.socketDir=/x\n"), tool.out());
        }
    }

    /** A Java that makes an archive where it is told to, and prints its command line otherwise. */
    private void makeAnArchivingJdk(String release, String option) throws IOException {
        makeJdk(jdk, release);
        script(
                jdk.resolve("bin/java"),
                "for word; do\n  case $word in\n    " + option
                        + "=*) echo archive >\"${word#*=}\" ;;\n    *) echo \"$word\" ;;\n" + "  esac\ndone\n");
    }

    private Path archive(String name) throws IOException {
        return root.toRealPath().resolve("cuframes-tools/target/cuframes").resolve(name);
    }

    @Test
    void commandsStartWithAnArchiveOfClassesWhereOneCouldBeMade() throws Exception {
        makeMaven(MAVEN);
        makeAnArchivingJdk(RELEASE, "-XX:AOTCacheOutput");
        try (Tool tool = launch("demo")) {
            assertEquals(0, tool.await(), tool.err());
            assertTrue(tool.out().contains("-XX:AOTCache=" + archive("start-25.aot") + "\n"), tool.out());
        }
        try (Tool tool = launch(
                root.resolve("bin/cuframes"),
                Map.of("JAVA_HOME", jdk.toString(), "CUFRAMES_JAVA_OPTS", "-Xshare:off"),
                "demo")) {
            assertEquals(0, tool.await(), tool.err());
            assertFalse(tool.out().contains("-XX:AOTCache"), tool.out());
        }
        Path jar = archive("lib").resolve("tools.jar");
        Files.setLastModifiedTime(jar, FileTime.from(Instant.now().plusSeconds(1)));
        try (Tool tool = launch("demo")) {
            assertEquals(0, tool.await(), tool.err());
            assertFalse(tool.out().contains("-XX:AOTCache"), "it is of other jars: " + tool.out());
        }
    }

    @Test
    void anOlderJavaHasTheOlderKindOfArchive() throws Exception {
        makeMaven(MAVEN);
        makeAnArchivingJdk("JAVA_VERSION=\"23.0.1\"\n", "-XX:ArchiveClassesAtExit");
        try (Tool tool = launch("demo")) {
            assertEquals(0, tool.await(), tool.err());
            assertTrue(tool.out().contains("-XX:SharedArchiveFile=" + archive("start-23.jsa") + "\n"), tool.out());
        }
    }

    @Test
    void withoutAnArchiveCommandsRunAllTheSame() throws Exception {
        makeMaven(MAVEN);
        try (Tool tool = launch("demo")) {
            assertEquals(0, tool.await(), tool.err());
            assertTrue(tool.err().contains("no archive of classes could be made"), tool.err());
            assertFalse(tool.out().contains("-XX:AOTCache"), tool.out());
            assertTrue(tool.out().endsWith("io.cuframes.tools.Cuframes\ndemo\n"), tool.out());
        }
    }

    @Test
    void aJavaThatIsTooOldIsPassedOver() throws Exception {
        makeMaven(MAVEN);
        Path old = directory.resolve("old");
        makeJdk(old, "JAVA_VERSION=\"17.0.15\"\n");
        makeJdk(directory.resolve(".jdks/good"), RELEASE);
        hideTheMachinesOwn();
        try (Tool tool = launch(root.resolve("bin/cuframes"), Map.of("JAVA_HOME", old.toString()), "demo")) {
            assertEquals(0, tool.await(), tool.err());
        }
    }

    @Test
    void withoutAJdkItSaysWhatToInstall() throws Exception {
        Path old = directory.resolve("old");
        makeJdk(old, "JAVA_VERSION=\"17.0.15\"\n");
        hideTheMachinesOwn();
        try (Tool tool = launch(root.resolve("bin/cuframes"), Map.of("JAVA_HOME", old.toString()), "demo")) {
            assertEquals(5, tool.await());
            assertTrue(tool.err().contains("needs a JDK 22 or newer"), tool.err());
            assertTrue(tool.err().contains(old + " (Java 17)"), tool.err());
            assertTrue(tool.err().contains("export JAVA_HOME="), tool.err());
            assertEquals("", tool.out());
            assertFalse(Files.exists(root.resolve("cuframes-tools/target/cuframes/lib")));
        }
    }
}
