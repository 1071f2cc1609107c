// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A {@link Requirement} by its word. */
final class RequirementWord implements ITypeConverter<Requirement> {
    @Override
    public Requirement convert(String text) {
        for (Requirement requirement : Requirement.values()) {
            if (Words.of(requirement).equalsIgnoreCase(text)) {
                return requirement;
            }
        }
        String all = Arrays.stream(Requirement.values()).map(Words::of).collect(Collectors.joining(", "));
        throw new TypeConversionException("\"" + text + "\" is none of " + all);
    }
}
