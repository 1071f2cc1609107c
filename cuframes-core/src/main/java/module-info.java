// SPDX-License-Identifier: Apache-2.0

/** Publish decoded video frames once, read them zero-copy from any number of processes. */
@SuppressWarnings("requires-automatic") // HdrHistogram has no descriptor: its module is named after its file
module io.cuframes {
    requires com.google.gson;
    requires HdrHistogram;
    requires io.cuframes.ffm;
    requires jdk.jfr;
    requires static org.jspecify; // annotations: nothing of it is needed to run

    exports io.cuframes;
}
