// SPDX-License-Identifier: Apache-2.0
// The README's program becomes this project's source; the key is its own, so that builds that run at the same time do not meet.
def readme = new File(basedir, '../../../../README.md').text
def program = readme =~ /(?s)```java\n(.*?public final class FirstFrames .*?)```/
assert program.find(): 'the README has no program FirstFrames'
def source = new File(basedir, 'src/main/java/FirstFrames.java')
source.parentFile.mkdirs()
source.text = program.group(1).replace('"cam1"', '"class-path-' + ProcessHandle.current().pid() + '"')
return true
