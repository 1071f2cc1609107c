// SPDX-License-Identifier: Apache-2.0

/** The {@code cuframes} command: a camera into a stream, a counting reader of one, and a demonstration of both. */
package io.cuframes.tools;
