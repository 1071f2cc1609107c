// SPDX-License-Identifier: Apache-2.0

/** What {@code cuframes bench} runs: frames that pass from process to process in several ways, timed, in one run. */
package io.cuframes.tools.bench;
