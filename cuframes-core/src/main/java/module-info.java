// SPDX-License-Identifier: Apache-2.0

/** Publish decoded video frames once, read them zero-copy from any number of processes. */
module io.cuframes {
    requires io.cuframes.ffm;

    exports io.cuframes;
}
