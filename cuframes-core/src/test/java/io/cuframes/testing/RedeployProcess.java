// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import jdk.jfr.Recording;

/**
 * A server that deploys an application ({@link Deployment}) on a pooled thread and undeploys it, and says whether its class loader goes. To be run with
 * {@link #OPTIONS}: the JDK keeps a handle or two of the types that it has met last in soft references.
 */
public final class RedeployProcess {
    /** Soft references go with the first collection. */
    public static final List<String> OPTIONS = List.of("-XX:SoftRefLRUPolicyMSPerMB=0");

    private RedeployProcess() {}

    /** Arguments: whether there is a flight recording, where a heap dump may be put, and those of the application. */
    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(1);
        String[] application = Arrays.copyOfRange(args, 2, args.length);
        WeakReference<ClassLoader> loader;
        if (Boolean.parseBoolean(args[0])) {
            try (Recording recording = new Recording()) {
                recording.enable("cuframes.Publish");
                recording.start();
                loader = pool.submit(deploy(application)).get();
                recording.stop();
            }
        } else {
            loader = pool.submit(deploy(application)).get();
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(25);
        while (loader.get() != null && System.nanoTime() - deadline < 0) {
            System.gc();
            Thread.sleep(20);
        }
        System.out.println(loader.get() == null ? "it is gone" : "it is still there: " + dump(Path.of(args[1])));
        pool.shutdown();
    }

    /** Plays a part in a class loader of its own; what is left of it is a weak reference. */
    private static Callable<WeakReference<ClassLoader>> deploy(String[] arguments) {
        return () -> {
            URLClassLoader loader = new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader());
            ClassLoader before = Thread.currentThread().getContextClassLoader();
            Thread.currentThread().setContextClassLoader(loader);
            try {
                application(loader).accept(arguments);
            } finally {
                Thread.currentThread().setContextClassLoader(before);
                loader.close();
            }
            return new WeakReference<>(loader);
        };
    }

    @SuppressWarnings("unchecked")
    private static Consumer<String[]> application(ClassLoader loader) throws ReflectiveOperationException {
        return (Consumer<String[]>) loader.loadClass(Deployment.class.getName())
                .getDeclaredConstructor()
                .newInstance();
    }

    private static URL[] classPath() throws Exception {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        return urls.toArray(URL[]::new);
    }

    /** What keeps it can be found there. */
    private static Path dump(Path heap) throws Exception {
        Files.createDirectories(heap.getParent());
        Files.deleteIfExists(heap);
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(heap.toString(), true);
        return heap;
    }
}
