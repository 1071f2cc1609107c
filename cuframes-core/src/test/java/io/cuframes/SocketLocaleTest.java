// SPDX-License-Identifier: Apache-2.0
package io.cuframes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cuframes.testing.Child;
import io.cuframes.testing.LocaleProcess;
import io.cuframes.testing.StreamFixture;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A socket directory whose name is not ASCII, in JVMs whose locale knows it or not. The shell makes it, for this JVM may be one of the latter. */
class SocketLocaleTest {
    private static final String NAME = "$(printf '\\303\\274mlaut')"; // with a u umlaut, as UTF-8 has it

    private final StreamFixture stream = new StreamFixture();

    @AfterEach
    void cleanUp() {
        stream.close();
    }

    private List<String> shell(String script) {
        return List.of("sh", "-c", "cd " + stream.directory() + " && " + script + "exec \"$@\"", "sh");
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "C.UTF-8"})
    void theBytesOfThePathAreUsedWhateverTheLocaleMakesOfThem(String locale) throws Exception {
        List<String> make = shell("mkdir " + NAME + " && export LC_ALL=" + locale + " && ");
        try (Child child = Child.startBy(make, LocaleProcess.class, stream.key(), stream.directory())) {
            assertEquals("read true", child.answer());
            assertTrue(holds("test -S " + NAME + "/" + stream.key() + ".sock"), "the socket is there");
            assertTrue(holds("test $(ls | wc -l) = 1"), "nothing else was made");
            child.tell("").awaitExit();
        }
    }

    private boolean holds(String condition) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(shell(condition + " && "));
        command.add("true");
        return new ProcessBuilder(command).start().waitFor() == 0;
    }

    @Test
    void aVariableThatTheLocaleDoesNotKnowIsRefusedWithAWayOut() {
        List<String> set = shell("export LC_ALL=C CUFRAMES_SOCKET_DIR=$PWD/" + NAME + " && ");
        try (Child child = Child.startBy(set, LocaleProcess.class, stream.key())) {
            String answer = child.answer();
            assertTrue(answer.startsWith("error INVALID_ARGUMENT CUFRAMES_SOCKET_DIR names a path"), answer);
            assertTrue(answer.contains("start it with LC_ALL=C.UTF-8"), answer);
        }
    }

    @Test
    void withALocaleThatKnowsItTheVariableIsTaken() {
        List<String> set = shell("export LC_ALL=C.UTF-8 CUFRAMES_SOCKET_DIR=$PWD/" + NAME + " && ");
        try (Child child = Child.startBy(set, LocaleProcess.class, stream.key())) {
            assertEquals("read true", child.answer());
        }
    }
}
