// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.StreamFixture;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whether a key is free can be asked before a publisher is opened. */
class FreeKeyTest {
    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void removeWhatIsLeft() {
        stream.close();
    }

    private Publisher.Builder publisher() {
        return Publisher.builder(stream.key())
                .socketDirectory(stream.directory())
                .transport(Transport.HOST)
                .size(64, 64);
    }

    @Test
    void aLivePublishersKeyIsRefusedWithItsOwner() {
        try (Publisher live = publisher().open()) {
            CuframesException refused =
                    assertThrows(CuframesException.class, () -> publisher().requireFreeKey());
            assertEquals(ErrorCode.ALREADY_EXISTS, refused.code());
            String owner = "process " + ProcessHandle.current().pid();
            assertTrue(refused.getMessage().contains(owner), refused.getMessage());
            try (Subscriber subscriber = Subscriber.builder(stream.key())
                    .socketDirectory(stream.directory())
                    .open()) {
                assertEquals(live.epoch(), subscriber.epoch()); // not disturbed
            }
        }
        publisher().requireFreeKey();
    }

    @Test
    void whatADeadPublisherLeftIsFreeAndStays() throws Exception {
        Files.write(stream.segment(), new byte[4096]); // nobody holds a lock on it
        publisher().requireFreeKey();
        assertEquals(List.of(stream.segment()), stream.remains());
    }

    @Test
    void aKeyThatNobodyUsesIsFreeAndNothingIsMade() {
        publisher().requireFreeKey();
        assertEquals(List.of(), stream.remains());
    }
}
