// SPDX-License-Identifier: Apache-2.0
/**
 * Decoded video frames, published once and read zero-copy by any number of processes: {@link io.cuframes.Publisher}, {@link
 * io.cuframes.Subscriber}. What the API takes and returns is never null, except where it is marked {@link org.jspecify.annotations.Nullable}.
 */
@NullMarked
package io.cuframes;

import org.jspecify.annotations.NullMarked;
