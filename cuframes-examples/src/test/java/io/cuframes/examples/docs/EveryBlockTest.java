// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.Transport;
import io.cuframes.testing.Needs;
import io.cuframes.tools.CommandLines;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.yaml.snakeyaml.Yaml;

/**
 * Every fenced block of the documents says how it is tested, and is; command lines have options that exist, links lead somewhere, and texts of errors
 * are those of the code. {@link DocumentationTest} runs the Java of java-api.md.
 */
class EveryBlockTest {
    private static final Path ROOT = Path.of("..");
    private static final String SOCKET_DIRECTORY = "cuframes.socketDir";
    private static final List<String> FOLDERS = List.of("docs", "docker");
    private static final List<String> FILES = List.of("README.md", "CONTRIBUTING.md", "cuframes-examples/README.md");

    /** For what commands are not run. */
    private static final Set<String> NEEDS = Set.of("a GPU", "a camera", "docker", "a build", "a process", "a bundle");

    private static final Set<String> OTHERS = Set.of("go2rtc", "Frigate", "MediaMTX", "compose", "Kubernetes");
    private static final Pattern BOX = Pattern.compile("[─│┌►◄]");
    private static final Pattern SPAN = Pattern.compile("(?<!`)`([^`\n]+)`(?!`)");
    private static final Pattern FENCED = Pattern.compile("(?ms)^```.*?^```$");
    private static final Pattern OPTION = Pattern.compile("(?<=\\s)--[a-z][a-z-]*");
    private static final Pattern COMMAND_SPAN =
            Pattern.compile("(?:(?:bin/)?cuframes )?(rtsp-source|sub-count|list|doctor|demo|bench) .*");
    private static final Pattern PROGRAM_SPAN = Pattern.compile("(cuframes-rtsp-source|sub_count) .*");
    private static final Pattern LINK = Pattern.compile("\\[[^\\]]*\\]\\(([^)\\s]+)\\)");

    @TempDir
    static Path directory;

    private static ShellBlocks shell;

    @BeforeAll
    static void useOwnSockets() throws IOException {
        System.setProperty(SOCKET_DIRECTORY, directory.toString());
        shell = new ShellBlocks(Files.createDirectory(directory.resolve("home")));
    }

    @AfterAll
    static void forgetThem() {
        System.clearProperty(SOCKET_DIRECTORY);
    }

    private static List<Path> documents() throws IOException {
        List<Path> documents = new ArrayList<>();
        FILES.forEach(name -> documents.add(ROOT.resolve(name)));
        for (String folder : FOLDERS) {
            if (Files.isDirectory(ROOT.resolve(folder))) {
                try (Stream<Path> files = Files.list(ROOT.resolve(folder))) {
                    files.filter(file -> file.toString().endsWith(".md"))
                            .sorted()
                            .forEach(documents::add);
                }
            }
        }
        assertTrue(documents.size() > 8, "the documents are where they were");
        return documents;
    }

    @TestFactory
    List<DynamicTest> everyBlockIsTestedAsItSays() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (Path document : documents()) {
            for (CodeBlock block : CodeBlock.of(document)) {
                if (!block.how().isJava() || !document.endsWith("java-api.md")) {
                    tests.add(DynamicTest.dynamicTest(block.place() + " " + block.how(), () -> test(block)));
                }
            }
        }
        return tests;
    }

    private static void test(CodeBlock block) throws Exception {
        switch (block.how()) {
            case ALONE, BESIDE_A_PUBLISHER, BESIDE_A_SUBSCRIBER, ON_A_GPU, PROGRAM, MODULE ->
                JavaBlocks.run(block, directory);
            case SHELL -> runShell(block);
            case SHELL_BESIDE_A_PUBLISHER -> JavaBlocks.besideAPublisher(Transport.HOST, () -> runShell(block));
            case SHELL_IN_CI -> assertInCi(block);
            case SHELL_NEEDS -> checkShell(block);
            case OUTPUT -> checkOptions(block, onlyTyped(block.code()));
            case DIAGRAM -> assertTrue(BOX.matcher(block.code()).find(), block.place() + " is no drawing");
            case POM -> checkPom(block);
            case CAMERAS -> readCameras(block);
            case OTHER_CONFIGURATION -> {
                assertTrue(OTHERS.contains(block.detail()), block.place() + ": unknown program " + block.detail());
                assertInstanceOf(Map.class, new Yaml().load(block.code()), block.place());
            }
        }
    }

    private static void runShell(CodeBlock block) throws Exception {
        checkOptions(block, block.code());
        shell.run(block, directory);
    }

    private static void checkOptions(CodeBlock block, String text) {
        assertEquals(List.of(), CommandText.complaints(text), block.place());
    }

    /** What is behind a prompt. */
    private static String onlyTyped(String code) {
        return String.join(
                "\n",
                code.lines()
                        .filter(line -> line.startsWith("$ "))
                        .map(line -> line.substring(2))
                        .toList());
    }

    private static void assertInCi(CodeBlock block) throws IOException {
        checkOptions(block, block.code());
        List<String> done = Files.readAllLines(ROOT.resolve(".ci/run"));
        for (String line : block.code().lines().toList()) {
            assertTrue(
                    done.stream().anyMatch(command -> command.equals(line) || command.startsWith(line + " ")),
                    block.place() + ": .ci/run does not run " + line);
        }
    }

    private static void checkShell(CodeBlock block) throws Exception {
        assertTrue(NEEDS.contains(block.detail()), block.place() + ": unknown need " + block.detail());
        checkOptions(block, block.code());
        for (List<String> command : CommandText.commands(block.code())) {
            if (block.detail().equals("a build")) {
                checkBuild(block, command);
            }
        }
        if (block.detail().equals("a GPU")) {
            Needs.gpu(JavaBlocks.hasGpu(), "the block was read, and not run");
            JavaBlocks.besideAPublisher(Transport.AUTO, () -> shell.run(block, directory));
        }
    }

    /** What a build is told to do is there: scripts, modules, classes of tests. */
    private static void checkBuild(CodeBlock block, List<String> command) throws IOException {
        for (int i = 0; i < command.size(); i++) {
            String word = command.get(i);
            if (i == 0 && word.contains("/")) {
                assertTrue(Files.isExecutable(ROOT.resolve(word)), block.place() + ": there is no " + word);
            } else if (i > 0 && command.get(i - 1).equals("-pl")) {
                for (String module : word.split(",", -1)) {
                    assertTrue(Files.exists(ROOT.resolve(module).resolve("pom.xml")), block.place() + ": " + module);
                }
            } else if (word.startsWith("-Dtest=")) {
                for (String test : word.substring("-Dtest=".length()).split(",", -1)) {
                    assertTrue(
                            sources("test").anyMatch(file -> file.endsWith(test + ".java")),
                            block.place() + ": " + test);
                }
            }
        }
    }

    /** Java files of all modules. */
    private static Stream<Path> sources(String kind) throws IOException {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> modules = Files.list(ROOT)) {
            for (Path module : modules.toList()) {
                Path folder = module.resolve("src").resolve(kind).resolve("java");
                if (Files.isDirectory(folder)) {
                    try (Stream<Path> found = Files.walk(folder)) {
                        found.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
                    }
                }
            }
        }
        return files.stream();
    }

    private static void checkPom(CodeBlock block) throws Exception {
        Document snippet = xml("<part>" + block.code() + "</part>");
        Document bom = xml(Files.readString(ROOT.resolve("cuframes-bom/pom.xml")));
        String version = text(bom.getDocumentElement(), "version");
        List<String> published = new ArrayList<>(List.of("cuframes-bom"));
        for (Element dependency : elements(bom, "dependency")) {
            published.add(text(dependency, "artifactId"));
        }
        List<Element> dependencies = elements(snippet, "dependency");
        assertTrue(dependencies.size() + elements(snippet, "plugin").size() > 0, block.place());
        for (Element dependency : dependencies) {
            if (text(dependency, "groupId").equals("io.cuframes")) {
                assertTrue(
                        published.contains(text(dependency, "artifactId")),
                        block.place() + ": in no bill of materials");
                assertTrue(
                        Set.of("", version).contains(text(dependency, "version")), block.place() + ": not " + version);
            }
        }
    }

    private static Document xml(String text) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(text.getBytes(UTF_8)));
    }

    private static List<Element> elements(Document document, String name) {
        NodeList nodes = document.getElementsByTagName(name);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    /** The text of a child; "" where there is none. */
    private static String text(Element parent, String name) {
        NodeList nodes = parent.getElementsByTagName(name);
        return nodes.getLength() == 0 ? "" : nodes.item(0).getTextContent().strip();
    }

    private static void readCameras(CodeBlock block) throws IOException {
        Path secrets = Files.createDirectories(directory.resolve("secrets"));
        Path file = Files.createTempFile(
                directory,
                "cameras",
                ".yaml",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Matcher urls = Pattern.compile("@/run/secrets/([\\w.-]+)").matcher(block.code());
        while (urls.find()) {
            Files.writeString(secrets.resolve(urls.group(1)), "rtsp://192.0.2.7/stream1\n");
        }
        Files.writeString(file, block.code().replace("@/run/secrets/", "@" + secrets + "/"));
        assertTrue(CommandLines.camerasIn(file) > 0, block.place());
    }

    @Test
    void aBlockThatDoesNotSayHowItIsTestedIsRefused() {
        Path name = Path.of("some.md");
        for (List<String> lines : List.of(
                List.of("text", "```sh", "true", "```"),
                List.of("<!-- unheard of -->", "```sh", "true", "```"),
                List.of("<!-- runs -->", "```", "true", "```"),
                List.of("<!-- runs -->", "```bash", "true", "```"),
                List.of("<!-- runs and more -->", "```sh", "true", "```"),
                List.of("<!-- needs: -->", "```sh", "true", "```"),
                List.of("<!-- runs -->", "", "```sh", "true", "```"),
                List.of("<!-- runs -->", "```sh", "true"),
                List.of("<!-- runs -->", "  ```sh", "  true", "  ```"),
                List.of("<!-- runs -->", "~~~sh", "true", "~~~"))) {
            assertThrows(IllegalStateException.class, () -> CodeBlock.of(name, lines), lines.toString());
        }
        assertEquals(
                CodeBlock.How.SHELL,
                CodeBlock.of(name, List.of("<!-- runs -->", "```sh", "true", "```"))
                        .get(0)
                        .how());
    }

    @Test
    void anOptionThatDoesNotExistIsFoundWhereverItStands() {
        assertEquals(List.of(), CommandText.complaints("bin/cuframes list --json | jq '.streams[].key'"));
        for (String wrong : List.of(
                "bin/cuframes list --jsn",
                "cuframes lst",
                "docker run --rm -v /run/cuframes:/run/cuframes image cuframes doctor --kee cam1",
                "sub_count --key cam1 --frames 5",
                "CUFRAMES_RTSP_URL=a cuframes-rtsp-source --key cam1 --ring six",
                "true && cuframes sub-count --key cam1 \\\n    --verfy")) {
            assertEquals(1, CommandText.complaints(wrong).size(), wrong);
        }
    }

    @Test
    void optionsInTheTextExist() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (Path document : documents()) {
            for (String span : spans(document)) {
                Matcher command = COMMAND_SPAN.matcher(span);
                Matcher program = PROGRAM_SPAN.matcher(span);
                String name = command.matches() ? command.group(1) : program.matches() ? program.group(1) : null;
                Matcher option = OPTION.matcher(span);
                while (name != null && option.find()) {
                    if (!CommandLines.hasOption(name, option.group())) {
                        wrong.add(document + ": `" + span + "` has " + option.group());
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    private static List<String> spans(Path document) throws IOException {
        List<String> spans = new ArrayList<>();
        Matcher span = SPAN.matcher(FENCED.matcher(Files.readString(document)).replaceAll(""));
        while (span.find()) {
            spans.add(span.group(1));
        }
        return spans;
    }

    /** A text in code style with … in it is that of an error or a warning, … standing for what differs. */
    @Test
    void textsOfErrorsAreThoseOfTheCode() throws IOException {
        StringBuilder all = new StringBuilder();
        for (Path file : sources("main").toList()) {
            all.append(Files.readString(file).replaceAll("\"\\s*\\+\\s*\"", "").replace("\\\"", "\""));
        }
        List<String> unknown = new ArrayList<>();
        int seen = 0;
        for (Path document : documents()) {
            for (String span : spans(document)) {
                if (span.contains("…")) {
                    seen++;
                    for (String part : span.split("…", -1)) {
                        if (all.indexOf(part) < 0) {
                            unknown.add(document + ": `" + part + "` of `" + span + "`");
                        }
                    }
                }
            }
        }
        assertEquals(List.of(), unknown);
        assertTrue(seen > 10, "there are such texts");
    }

    @Test
    void linksLeadSomewhere() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path document : documents()) {
            Matcher link =
                    LINK.matcher(FENCED.matcher(Files.readString(document)).replaceAll(""));
            while (link.find()) {
                String target = link.group(1);
                if (!target.contains("://") && !leadsSomewhere(document, target)) {
                    broken.add(document + ": " + target);
                }
            }
        }
        assertEquals(List.of(), broken);
    }

    private static boolean leadsSomewhere(Path document, String target) throws IOException {
        int hash = target.indexOf('#');
        String path = hash < 0 ? target : target.substring(0, hash);
        Path file = path.isEmpty() ? document : document.resolveSibling(path);
        if (hash < 0 || !Files.exists(file)) {
            return Files.exists(file);
        }
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith("#"))
                .map(EveryBlockTest::anchor)
                .anyMatch(target.substring(hash + 1)::equals);
    }

    /** The name of a heading, as GitHub and others make it. */
    private static String anchor(String heading) {
        return heading.replaceFirst("^#+ ", "")
                .toLowerCase(java.util.Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N} _-]", "")
                .replace(' ', '-');
    }
}
