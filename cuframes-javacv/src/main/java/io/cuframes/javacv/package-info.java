// SPDX-License-Identifier: Apache-2.0
/**
 * Cameras and files into a cuframes publisher, through FFmpeg and NVDEC: {@link io.cuframes.javacv.VideoSource}. Beside it a test picture
 * whose frames carry their own number, to see that what arrives is what was sent.
 */
package io.cuframes.javacv;
