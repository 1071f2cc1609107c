// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.PublishPolicy;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@link PublishPolicy}, in the words of the command line. */
final class PolicyWord implements ITypeConverter<PublishPolicy> {
    @Override
    public PublishPolicy convert(String word) {
        for (PublishPolicy policy : PublishPolicy.values()) {
            if (Words.of(policy).equals(word)) {
                return policy;
            }
        }
        throw new TypeConversionException("\"" + word + "\" is not one of drop-oldest, drop-newest, strict-wait");
    }
}
