// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cuframes.Frame;
import io.cuframes.Publisher;
import io.cuframes.Subscriber;
import io.cuframes.Transport;
import io.cuframes.WritableFrame;
import io.cuframes.testing.StreamFixture;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** libswscale, which reads past the end of rows, is given nothing that ends where a ring may end. */
class HostPictureTest {
    @ParameterizedTest
    @CsvSource({"160, true", "192, true", "194, false", "256, false"}) // rows are 256 bytes apart
    void aLastPlaneWithoutRoomBehindIsCopied(int width, boolean inPlace) {
        try (StreamFixture stream = new StreamFixture();
                Publisher publisher = Publisher.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .transport(Transport.HOST)
                        .size(width, 64)
                        .open();
                Subscriber subscriber = Subscriber.builder(stream.key())
                        .socketDirectory(stream.directory())
                        .open();
                Scratch scratch = new Scratch();
                HostPicture picture = new HostPicture()) {
            try (WritableFrame frame = publisher.acquire()) {
                frame.plane(1).segment().fill((byte) 77);
                frame.publish(0);
            }
            try (Frame frame = subscriber.next(Duration.ofSeconds(60))) {
                picture.inPlace(frame, scratch);
                assertEquals(
                        frame.plane(0).segment().address(),
                        picture.data().get(0).address());
                MemorySegment chroma = frame.plane(1).segment();
                assertEquals(inPlace, chroma.address() == picture.data().get(1).address());
                if (!inPlace) {
                    assertEquals(-1, scratch.of(1).asSlice(0, chroma.byteSize()).mismatch(chroma));
                }
            }
        }
    }
}
