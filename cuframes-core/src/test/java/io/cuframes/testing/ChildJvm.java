// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.internal.cuda.Cuda;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/**
 * How a child JVM is started, soon: with this JVM's classes in one jar, and an archive of what they look like once loaded (class data sharing, which
 * takes classes from jars alone). Both are made when the first child is started and removed when this JVM ends; they save each child a third of the
 * processor time of its start. A runtime without the archive of the JDK's own classes, such as jlink makes, starts its children without.
 */
public final class ChildJvm {
    private static final List<String> OPTIONS = List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-Djava.util.logging.config.file=/dev/null");

    private static List<String> command;

    private ChildJvm() {}

    /** Everything before a JVM's own options, its main class and its arguments: those two go to {@link #main}. */
    static synchronized List<String> command() {
        if (command == null) {
            command = prepare();
        }
        return command;
    }

    /** Without the archive, and so without what only this user can read. */
    static List<String> plainCommand() {
        List<String> java = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED"));
        java.addAll(OPTIONS);
        return java;
    }

    /** What comes after a JVM's own options. */
    static synchronized List<String> program() {
        return List.of("-jar", directory.resolve("classes.jar").toString());
    }

    private static Path directory;

    private static List<String> prepare() {
        Path home = Path.of(System.getProperty("java.home"));
        List<String> java = new ArrayList<>(List.of(home.resolve("bin/java").toString()));
        java.addAll(OPTIONS);
        try {
            directory = Files.createTempDirectory("cuframes-classes");
            Runtime.getRuntime().addShutdownHook(new Thread(ChildJvm::remove));
            makeJar(directory.resolve("classes.jar"));
            if (Files.exists(home.resolve("lib/server/classes.jsa"))) {
                Path archive = directory.resolve("classes.jsa");
                dump(java, archive);
                java.add("-XX:SharedArchiveFile=" + archive);
            }
            return List.copyOf(java);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void remove() {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            System.err.println("left behind: " + directory + ", " + e);
        }
    }

    private static void makeJar(Path jar) throws IOException {
        StringBuilder jars = new StringBuilder();
        List<Path> directories = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path path = Path.of(entry);
            if (Files.isDirectory(path)) {
                directories.add(path);
            } else if (Files.exists(path)) {
                jars.append(path.toUri()).append(' ');
            }
        }
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, ChildJvm.class.getName());
        attributes.put(Attributes.Name.CLASS_PATH, jars.toString());
        attributes.put(new Attributes.Name("Enable-Native-Access"), "ALL-UNNAMED");
        Set<String> names = new HashSet<>();
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            for (Path each : directories) {
                add(out, each, names);
            }
        }
    }

    private static void add(JarOutputStream out, Path root, Set<String> names) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = root.relativize(file).toString();
                if (!name.startsWith("META-INF") && !name.equals("module-info.class") && names.add(name)) {
                    out.putNextEntry(new JarEntry(name));
                    Files.copy(file, out);
                }
            }
        }
    }

    private static void dump(List<String> java, Path archive) throws IOException {
        List<String> arguments = new ArrayList<>(java);
        arguments.addAll(List.of("-XX:ArchiveClassesAtExit=" + archive, "-Xlog:disable", "-Xlog:all=error:stderr"));
        arguments.addAll(program());
        arguments.add(Rehearsal.class.getName());
        arguments.add(directory.toString());
        ProcessBuilder builder = new ProcessBuilder(arguments).redirectErrorStream(true);
        builder.environment().putAll(CudaStandIn.environment());
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0 || !Files.exists(archive)) {
                throw new AssertionError("the archive of classes was not made: " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** A stream published and read in one process, so that the archive has what that takes. */
    public static final class Rehearsal {
        private Rehearsal() {}

        /** Argument: a directory. */
        public static void main(String[] args) {
            play(Path.of(args[0]), Transport.HOST);
            if (Cuda.whyUnavailable() == null) {
                play(Path.of(args[0]), Transport.CUDA_IPC);
            }
            System.out.println("done");
        }

        static void play(Path directory, Transport transport) {
            String key = "rehearsal-" + ProcessHandle.current().pid();
            try (Publisher publisher = Publisher.builder(key)
                            .socketDirectory(directory)
                            .transport(transport)
                            .size(64, 64)
                            .open();
                    Subscriber subscriber =
                            Subscriber.builder(key).socketDirectory(directory).open()) {
                FramePattern pattern = new FramePattern(publisher.format());
                try (WritableFrame frame = publisher.acquire()) {
                    pattern.write(frame, 1);
                    frame.publish(0);
                }
                try (Frame frame = subscriber.next(Duration.ofSeconds(10))) {
                    pattern.firstFault(frame, 1);
                }
            }
        }
    }

    /** Arguments: the main class to run, and its arguments. */
    public static void main(String[] args) throws ReflectiveOperationException {
        run(List.of(args));
    }

    static void run(List<String> arguments) throws ReflectiveOperationException {
        Method main = Class.forName(arguments.get(0)).getMethod("main", String[].class);
        main.setAccessible(true); // of a class of tests, which is no public one
        main.invoke(null, (Object) arguments.subList(1, arguments.size()).toArray(String[]::new));
    }
}
