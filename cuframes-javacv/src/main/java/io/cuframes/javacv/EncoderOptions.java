// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

/** What a {@link TestPatternWriter} was told, checked. */
record EncoderOptions(SourceUrl url, int width, int height, int fps, String codec, int gop, long bitRate) {}
