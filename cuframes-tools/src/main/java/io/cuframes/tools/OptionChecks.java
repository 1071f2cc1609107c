// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.CuframesException;
import io.cuframes.Publisher;
import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Checks of option values, made before a command opens anything. What is wrong is a usage error that names the option. */
final class OptionChecks {
    private final CommandSpec spec;

    OptionChecks(CommandSpec spec) {
        this.spec = spec;
    }

    void requireRange(String option, long value, long least, long most) {
        if (value < least || value > most) {
            throw usage(option + " is " + value + ": it must be " + least + " to " + most);
        }
    }

    void requireAtLeast(String option, long value, long least) {
        if (value < least) {
            throw usage(option + " is " + value + ": it "
                    + (least == 0 ? "cannot be negative" : "must be at least " + least));
        }
    }

    /** Null stands for an option that was not given. */
    void requirePositive(String option, Duration time) {
        if (time != null && time.isZero()) {
            throw usage(option + " is 0: it must be " + Words.POSITIVE_SECONDS);
        }
    }

    void requireKey(String option, String key) {
        try {
            Publisher.builder(key);
        } catch (CuframesException e) {
            throw usage(option + ": " + e.getMessage());
        }
    }

    ParameterException usage(String complaint) {
        return new ParameterException(spec.commandLine(), complaint);
    }
}
