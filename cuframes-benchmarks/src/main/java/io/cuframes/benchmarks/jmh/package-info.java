// SPDX-License-Identifier: Apache-2.0

/** The calls of each frame, by JMH. */
package io.cuframes.benchmarks.jmh;
