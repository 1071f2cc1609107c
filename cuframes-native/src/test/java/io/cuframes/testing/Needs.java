// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.ffm.Libc;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.opentest4j.TestAbortedException;

/**
 * What a test needs of the machine besides a JDK. Where it is missing, the test is skipped, with the reason. In CI, where the environment variable
 * {@code CI} is {@code true}, it fails instead, so that no test is lost there unnoticed: only a GPU may be missing. {@code .ci/run} looks afterwards
 * whether every skipped test has such a reason.
 */
public final class Needs {
    /** What the reason begins with where a test is skipped for want of a GPU. */
    private static final String GPU = "needs a GPU: ";

    /** What it begins with where a test shows what happens without a GPU, and there is one. */
    private static final String NO_GPU = "needs a machine without a GPU: ";

    private static final boolean CI = "true".equals(System.getenv("CI"));

    private Needs() {}

    /**
     * Something that a package, or a permission, provides.
     *
     * @param there whether it is there
     * @param what it is, and how to get it
     */
    public static void that(boolean there, String what) {
        if (!there) {
            throw missing(what);
        }
    }

    /** The same, of what is known to be missing; to be thrown. */
    public static RuntimeException missing(String what) {
        if (CI) {
            throw new AssertionError("missing: " + what + " (in CI, a test may be skipped for want of a GPU only)");
        }
        return new TestAbortedException("missing: " + what);
    }

    /**
     * A program on the path.
     *
     * @param name of the program
     * @param debianPackage that has it
     */
    public static void program(String name, String debianPackage) {
        that(isOnPath(name), "the program " + name + ", of Debian's package " + debianPackage);
    }

    /** A C compiler, {@code cc}. */
    public static void compiler() {
        program("cc", "gcc");
    }

    /**
     * Root's rights.
     *
     * @param what only root can do
     */
    public static void root(String what) {
        that(Libc.geteuid() == 0, "root's rights, to " + what);
    }

    /**
     * A GPU, or something that comes with one.
     *
     * @param there whether it is there
     * @param why not
     */
    public static void gpu(boolean there, String why) {
        if (!there) {
            throw new TestAbortedException(GPU + why);
        }
    }

    /** A machine without a GPU, for what happens there. */
    public static void noGpu(boolean there) {
        if (there) {
            throw new TestAbortedException(NO_GPU + "it has one");
        }
    }

    private static boolean isOnPath(String program) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
                .anyMatch(place -> Files.isExecutable(Path.of(place, program)));
    }
}
