// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DamageStateTest {
    private static final long SECOND = 1_000_000_000;

    private final DamageState state = new DamageState();

    @Test
    void damageLastsUntilTheNextKeyFrame() {
        assertFalse(state.next(false, true, 0));
        assertFalse(state.next(false, false, SECOND));
        assertTrue(state.next(true, false, 2 * SECOND));
        assertTrue(state.next(false, false, 3 * SECOND));
        assertFalse(state.next(false, true, 4 * SECOND));
        assertFalse(state.next(false, false, 5 * SECOND));
    }

    @Test
    void aKeyFrameMayBeDamagedItself() {
        assertTrue(state.next(true, true, 0));
        assertTrue(state.next(false, false, SECOND));
        assertFalse(state.next(false, true, 2 * SECOND));
    }

    /** A stream that refreshes its pictures bit by bit has none. */
    @Test
    void withoutKeyFramesItIsOverSomeTimeAfterTheLastReport() {
        assertTrue(state.next(true, false, 0));
        assertTrue(state.next(true, false, 10 * SECOND));
        assertTrue(state.next(false, false, 10 * SECOND + DamageState.REFRESH_NANOS));
        assertFalse(state.next(false, false, 10 * SECOND + DamageState.REFRESH_NANOS + 1));
    }

    @Test
    void longGroupsOfPicturesAreWaitedFor() {
        state.next(false, true, 0);
        state.next(false, true, 60 * SECOND);
        assertTrue(state.next(true, false, 61 * SECOND));
        assertTrue(state.next(false, false, 119 * SECOND));
        assertFalse(state.next(false, true, 120 * SECOND));
    }

    @Test
    void anotherDecoderBeginsAfresh() {
        assertTrue(state.next(true, false, 0));
        state.restart();
        assertFalse(state.next(false, true, SECOND));
    }
}
