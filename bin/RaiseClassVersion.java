// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Copies a jar, and gives its classes of Java 5 and older the class file version of Java 8, with the stack maps that it wants. Their code stays as it
 * is. The JVM takes no class of such a version into an archive, and has a slow verifier for them: picocli's are of Java 5.
 *
 * <p>java RaiseClassVersion.java FROM.jar TO.jar, with a JDK 24 or newer.
 */
final class RaiseClassVersion {
    private static final int OLDEST_WITH_STACK_MAPS = 50;
    private static final int JAVA_8 = 52;

    private RaiseClassVersion() {}

    public static void main(String[] arguments) throws IOException {
        Path from = Path.of(arguments[0]);
        try (URLClassLoader classes = new URLClassLoader(new URL[] {from.toUri().toURL()});
                JarFile in = new JarFile(from.toFile());
                JarOutputStream out = new JarOutputStream(Files.newOutputStream(Path.of(arguments[1])))) {
            ClassFile format = ClassFile.of(
                    ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                    // Code is written anew, rather than copied, only where the constants are.
                    ClassFile.ConstantPoolSharingOption.NEW_POOL,
                    ClassFile.ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(classes)));
            for (JarEntry entry : Collections.list(in.entries())) {
                byte[] bytes = in.getInputStream(entry).readAllBytes();
                JarEntry copy = new JarEntry(entry.getName());
                copy.setTime(entry.getTime());
                out.putNextEntry(copy);
                out.write(entry.getName().endsWith(".class") ? raise(format, bytes) : bytes);
            }
        }
    }

    private static byte[] raise(ClassFile format, byte[] bytes) {
        ClassModel model = format.parse(bytes);
        if (model.majorVersion() >= OLDEST_WITH_STACK_MAPS) {
            return bytes;
        }
        ClassTransform version = ClassTransform.endHandler(builder -> builder.withVersion(JAVA_8, 0));
        ClassTransform code = ClassTransform.transformingMethodBodies((builder, element) -> builder.with(element));
        return format.transformClass(model, version.andThen(code));
    }
}
