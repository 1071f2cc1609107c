#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs JUnit's console in a JVM inside this Python, for tests that share memory with Python where it is not there as a library.

usage: junit_in_python.py JAVA_HOME CLASS_PATH [console arguments]

The class path holds junit-platform-console-standalone, the tests and what they test, such as lib/* and tests/* of a bundle made by bin/make-bundle
--with-tests; the console arguments are those of bin/run-gpu-tests there. The exit status is JUnit's.
"""
import ctypes
import glob
import os
import sys
import threading

JNI_VERSION_10 = 0x000A0000

# Places in the function table of JNIEnv.
FIND_CLASS, EXCEPTION_DESCRIBE, GET_STATIC_METHOD_ID = 6, 16, 113
CALL_STATIC_VOID_METHOD_A, NEW_STRING_UTF, NEW_OBJECT_ARRAY, SET_OBJECT_ARRAY_ELEMENT = 143, 167, 172, 174

POINTER, INT = ctypes.c_void_p, ctypes.c_int


class Option(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char_p), ("extra", POINTER)]


class Arguments(ctypes.Structure):
    _fields_ = [("version", INT), ("count", INT), ("options", ctypes.POINTER(Option)), ("ignore", ctypes.c_ubyte)]


def create_jvm(java_home, options):
    """Starts the JVM; returns a function that calls one of JNI's by its place in the table."""
    jvm = ctypes.CDLL(os.path.join(java_home, "lib", "server", "libjvm.so"))
    texts = (Option * len(options))(*(Option(option.encode(), None) for option in options))
    arguments = Arguments(JNI_VERSION_10, len(options), texts, 0)
    vm, env = POINTER(), POINTER()
    status = jvm.JNI_CreateJavaVM(ctypes.byref(vm), ctypes.byref(env), ctypes.byref(arguments))
    if status != 0:
        sys.exit(f"JNI_CreateJavaVM: {status}")
    table = ctypes.cast(ctypes.cast(env, ctypes.POINTER(POINTER))[0], ctypes.POINTER(POINTER))

    def jni(place, result, *given):
        types = [INT if isinstance(value, int) else POINTER for value in given]
        function = ctypes.CFUNCTYPE(result, POINTER, *types)(table[place])
        return function(env, *given)

    return jni


def main():
    java_home, class_path, *given = sys.argv[1:]
    jars = ":".join(":".join(glob.glob(part)) if "*" in part else part for part in class_path.split(":"))
    jni = create_jvm(java_home, [f"-Djava.class.path={jars}", "--enable-native-access=ALL-UNNAMED"])

    def pointer(value):
        return POINTER(value)

    strings = pointer(jni(FIND_CLASS, POINTER, ctypes.c_char_p(b"java/lang/String")))
    array = pointer(jni(NEW_OBJECT_ARRAY, POINTER, len(given), strings, pointer(None)))
    for place, text in enumerate(given):
        string = pointer(jni(NEW_STRING_UTF, POINTER, ctypes.c_char_p(text.encode())))
        jni(SET_OBJECT_ARRAY_ELEMENT, None, array, place, string)
    console = jni(FIND_CLASS, POINTER, ctypes.c_char_p(b"org/junit/platform/console/ConsoleLauncher"))
    if console is None:
        jni(EXCEPTION_DESCRIBE, None)
        sys.exit("there is no JUnit console on the class path")
    launch = jni(
        GET_STATIC_METHOD_ID, POINTER, pointer(console), ctypes.c_char_p(b"main"), ctypes.c_char_p(b"([Ljava/lang/String;)V")
    )
    # The jvalue array has one element, a reference. main does not return: it ends the process.
    jni(CALL_STATIC_VOID_METHOD_A, None, pointer(console), pointer(launch), ctypes.byref(POINTER(array.value)))
    jni(EXCEPTION_DESCRIBE, None)
    sys.exit("JUnit's console returned")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    # A thread with a stack of its own size: a JVM on the primordial thread would have to guess where that stack ends.
    threading.stack_size(64 << 20)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
