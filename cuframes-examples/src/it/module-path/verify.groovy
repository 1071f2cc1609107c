// SPDX-License-Identifier: Apache-2.0
def log = new File(basedir, 'build.log').text
def read = (log =~ /frame (\d+), 1280x720, luma (\d+)/).collect { [it[1] as int, it[2] as int] }
assert read.size() == 10: "the program printed ${read.size()} frames"
read.eachWithIndex { frame, i -> assert frame == [read[0][0] + i, 16 + i] }
assert !log.contains('WARNING: '): 'Java warns'
