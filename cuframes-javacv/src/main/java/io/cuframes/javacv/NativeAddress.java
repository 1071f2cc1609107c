// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** A pointer to memory that someone else owns, to be set anew for each use. */
final class NativeAddress extends BytePointer {
    NativeAddress() {
        super((Pointer) null);
    }

    NativeAddress at(long newAddress) {
        address = newAddress;
        return this;
    }
}
