// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

/** The kernel of {@link JCudaKernel}: a thread for each pixel, rows in the grid's y; each adds 1 to the bin of its value. */
final class LumaHistogram {
    static final String NAME = "luma_histogram";

    /** Of an architecture as old as the drivers of CUDA 12 and 13 take; the driver compiles it for the GPU at hand. */
    static final String PTX = """
            .version 6.0
            .target sm_50
            .address_size 64

            .visible .entry luma_histogram(.param .u64 luma, .param .u32 pitch, .param .u32 width, .param .u64 bins)
            {
                .reg .pred %outside;
                .reg .b32 %x, %y, %size, %thread, %width, %pitch, %value, %old;
                .reg .b64 %at, %bin, %offset;

                mov.u32 %x, %ctaid.x;
                mov.u32 %size, %ntid.x;
                mov.u32 %thread, %tid.x;
                mad.lo.u32 %x, %x, %size, %thread;
                ld.param.u32 %width, [width];
                setp.ge.u32 %outside, %x, %width;
                @%outside ret;

                mov.u32 %y, %ctaid.y;
                ld.param.u32 %pitch, [pitch];
                mul.wide.u32 %offset, %y, %pitch;
                ld.param.u64 %at, [luma];
                cvta.to.global.u64 %at, %at;
                add.u64 %at, %at, %offset;
                cvt.u64.u32 %offset, %x;
                add.u64 %at, %at, %offset;
                ld.global.u8 %value, [%at];

                mul.wide.u32 %offset, %value, 4;
                ld.param.u64 %bin, [bins];
                cvta.to.global.u64 %bin, %bin;
                add.u64 %bin, %bin, %offset;
                atom.global.add.u32 %old, [%bin], 1;
                ret;
            }
            """;

    private LumaHistogram() {}
}
