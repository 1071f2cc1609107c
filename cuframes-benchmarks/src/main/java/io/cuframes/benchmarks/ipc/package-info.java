// SPDX-License-Identifier: Apache-2.0

/** The ring in host memory beside Aeron IPC, in one run. */
package io.cuframes.benchmarks.ipc;
