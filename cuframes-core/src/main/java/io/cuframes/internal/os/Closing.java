// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.os;

/**
 * Closes several things, every one of them whatever the others throw, Errors included: a thread that cannot be made, memory that is short or a class
 * that does not load must not leave a name, a descriptor or a mapping behind.
 *
 * <p>An {@code open} that makes several things has {@code catch (Throwable e)} around all that follows the first of them, calls {@link #undo} there,
 * and throws {@code e} again.
 */
public final class Closing {
    private Closing() {}

    /**
     * Undoes what an {@code open} has made before it failed.
     *
     * @param failure what it failed with; gets what is thrown here as suppressed
     * @param made in the order in which it is to be closed; null for what was not made
     */
    public static void undo(Throwable failure, AutoCloseable... made) {
        run(made, failure);
    }

    /**
     * Closes all.
     *
     * @param parts in the order in which they are to be closed; null for what was not made
     * @throws RuntimeException what the first that failed threw, also an Error, with what the others threw as suppressed
     */
    public static void all(AutoCloseable... parts) {
        Throwable first = run(parts, null);
        if (first instanceof Error error) {
            throw error;
        }
        if (first instanceof RuntimeException exception) {
            throw exception;
        }
        if (first != null) {
            throw new IllegalStateException("a close failed: " + first, first);
        }
    }

    private static Throwable run(AutoCloseable[] parts, Throwable earlier) {
        Throwable first = earlier;
        for (AutoCloseable part : parts) {
            try {
                if (part != null) {
                    part.close();
                }
            } catch (Throwable e) {
                first = join(first, e);
            }
        }
        return first;
    }

    /**
     * Joins what two steps threw.
     *
     * @param first null if nothing was thrown before
     * @param next added to the first as suppressed
     * @return the first there is
     */
    public static Throwable join(Throwable first, Throwable next) {
        if (first == null) {
            return next;
        }
        if (!first.equals(next)) { // a thing may throw one exception twice, and none is suppressed by itself
            first.addSuppressed(next);
        }
        return first;
    }
}
