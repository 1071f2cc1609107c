// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

/** A case could not be measured; the message says why. */
final class CaseFailure extends Exception {
    private static final long serialVersionUID = 1;

    CaseFailure(String message) {
        super(message);
    }
}
