// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

/** What a finding is about: a check of this machine, or a step of reading one stream. */
public sealed interface Probe permits Check, ReadStep {
    /** Its constant's name, which stays the same from release to release. */
    String name();

    /** What it is called in a list. */
    String title();
}
