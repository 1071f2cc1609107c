# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# For the scripts beside it: archives of classes, with which the commands start in a fraction of the time. Java runs without one, too, and leaves one
# aside that is not of its own version, of other jars, or of another garbage collector. Uses java_version of find-java.sh.

# What every JVM of the commands gets. A small heap's collector and no statistics file: these processes start fast and allocate next to nothing. An
# archive is good for the collector that it was made with.
# shellcheck disable=SC2034 # for the caller
JAVA_FLAGS='--enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -XX:-UsePerfData'

# Commands that look and report: with the first of the JVM's two compilers alone they are done sooner, as the second would take a core of two while they
# start. What they do for each frame is little.
# shellcheck disable=SC2034 # for the caller
QUICK_COMMANDS='sub-count sub_count list doctor --version --help'
# shellcheck disable=SC2034 # for the caller
QUICK_FLAG=-XX:TieredStopAtLevel=1

# The name of an archive for a version of Java: 25 and newer have the ahead-of-time cache, with classes linked and objects made.
archive_name() {
    if [ "$1" -ge 25 ]; then
        printf 'start-%s.aot' "$1"
    else
        printf 'start-%s.jsa' "$1"
    fi
}

# The options that have a JVM use the archive, if it is there. Where it does not suit, that is no news to whoever runs a command.
archive_options() {
    [ -f "$1" ] || return 0
    case $1 in
        *.aot) printf '%s' "-XX:AOTCache=$1" ;;
        *) printf '%s' "-XX:SharedArchiveFile=$1" ;;
    esac
}

# Makes the classes of one jar such that an archive takes them: raise_classes JDK JAR.
raise_classes() {
    [ -x "$1/bin/javac" ] && [ "$(java_version "$1")" -ge 24 ] || return 0
    raised=$2.raised
    if "$1/bin/java" "$root/bin/RaiseClassVersion.java" "$2" "$raised" && [ -s "$raised" ]; then
        mv "$raised" "$2"
    else
        rm -f "$raised"
    fi
}

# Makes an archive by going a command's way to its first frame: make_archive JAVA_HOME CLASS_PATH FILE. Prints what the JVM and the command say.
make_archive() {
    case $3 in
        *.aot) dump="-XX:AOTCacheOutput=$3" ;;
        *) dump="-XX:ArchiveClassesAtExit=$3" ;;
    esac
    # shellcheck disable=SC2086 # options are separated by blanks
    "$1/bin/java" $JAVA_FLAGS "$dump" -cp "$2" io.cuframes.tools.Rehearsal && [ -s "$3" ]
}
