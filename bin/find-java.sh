# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# For the scripts beside it: "find_java yes" sets $java_home to a JDK that is new enough, "find_java no" to any such Java; or they say
# what to install and exit. Uses the caller's say.

NEEDED=22

# Prints the feature version of the Java in a folder; nothing if there is none. Reading a file is faster than starting a JVM.
java_version() {
    [ -x "$1/bin/java" ] || return 0
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null)
    if [ -z "$version" ]; then
        version=$("$1/bin/java" -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p')
    fi
    printf '%s' "$version"
}

# Takes the folder as $java_home if its Java is new enough, and, where a build is needed, a JDK.
try_java() {
    version=$(java_version "$1")
    [ -n "$version" ] || return 1
    if [ "$version" -lt "$NEEDED" ]; then
        too_old="$too_old
  $1 (Java $version)"
        return 1
    fi
    if [ "$must_build" = yes ] && [ ! -x "$1/bin/javac" ]; then
        too_old="$too_old
  $1 (Java $version, but no JDK: it has no compiler)"
        return 1
    fi
    java_home=$1
}

find_java() {
    must_build=$1
    # shellcheck disable=SC2034 # for the caller
    java_home=
    too_old=
    if [ -n "${JAVA_HOME:-}" ] && try_java "$JAVA_HOME"; then
        return 0
    fi
    on_path=$(command -v java 2>/dev/null) && on_path=$(readlink -f "$on_path") \
        && try_java "${on_path%/bin/java}" && return 0
    for candidate in /usr/lib/jvm/* /opt/* "${HOME:-/nonexistent}"/.sdkman/candidates/java/* \
        "${HOME:-/nonexistent}"/.jdks/*; do
        # A distribution's links beside the real folders would name each JDK several times.
        [ -L "$candidate" ] && continue
        try_java "$candidate" && return 0
    done
    say "needs a JDK $NEEDED or newer, and found none."
    if [ -n "$too_old" ]; then
        say "Found, and of no use:$too_old"
    fi
    say "Install one, for example with one of
  apt-get install openjdk-25-jdk        (Debian 13, Ubuntu 25.10 and newer)
  dnf install java-25-openjdk-devel     (Fedora)
  sdk install java 25-tem               (any Linux, https://sdkman.io)
or unpack one from https://adoptium.net, and name its folder: export JAVA_HOME=/path/to/jdk"
    exit 5
}
