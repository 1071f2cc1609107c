// SPDX-License-Identifier: Apache-2.0
/**
 * Cameras and files into a cuframes publisher, through FFmpeg and NVDEC: {@link io.cuframes.javacv.VideoSource}. JavaCV programs
 * on a ring: {@link io.cuframes.javacv.CuframesFrameGrabber}, {@link io.cuframes.javacv.CuframesFrameRecorder}. Beside them a test picture
 * whose frames carry their own number, to see that what arrives is what was sent.
 */
@NullMarked
package io.cuframes.javacv;

import org.jspecify.annotations.NullMarked;
