// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A time in seconds, with or without a fraction. */
final class SecondsWord implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String word) {
        try {
            return Words.seconds(word);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException("\"" + word + "\" is not " + Words.SECONDS);
        }
    }
}
