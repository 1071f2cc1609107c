// SPDX-License-Identifier: Apache-2.0
package io.cuframes.testing;

import io.cuframes.CuframesException;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Publishes and reads in one process, in a directory whose name its locale may not know. Says {@code read EPOCH}, and the publisher's epoch, or the
 * error.
 */
public final class LocaleProcess {
    private LocaleProcess() {}

    /** Arguments: key, and the directory that the socket directory alone is in; without that, the library chooses the place. */
    public static void main(String[] args) throws IOException {
        Path directory = args.length > 1 ? onlyOneIn(Path.of(args[1])) : null;
        try (Publisher publisher = Publisher.builder(args[0])
                        .socketDirectory(directory)
                        .transport(Transport.HOST)
                        .size(64, 64)
                        .open();
                Subscriber subscriber =
                        Subscriber.builder(args[0]).socketDirectory(directory).open()) {
            System.out.println("read " + (subscriber.epoch() == publisher.epoch()));
            System.in.read();
        } catch (CuframesException e) {
            System.out.println("error " + e.code() + " " + e.getMessage());
        }
    }

    private static Path onlyOneIn(Path parent) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(parent)) {
            return files.iterator().next();
        }
    }
}
