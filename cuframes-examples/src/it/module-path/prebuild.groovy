// SPDX-License-Identifier: Apache-2.0
// As in class-path, in a package: a module has no classes outside of one.
def readme = new File(basedir, '../../../../README.md').text
def program = readme =~ /(?s)```java\n(.*?public final class FirstFrames .*?)```/
assert program.find(): 'the README has no program FirstFrames'
def source = new File(basedir, 'src/main/java/com/example/first/FirstFrames.java')
source.parentFile.mkdirs()
source.text = 'package com.example.first;\n\n' + program.group(1).replace('"cam1"', '"module-path-' + ProcessHandle.current().pid() + '"')
return true
