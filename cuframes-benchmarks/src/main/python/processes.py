# SPDX-License-Identifier: Apache-2.0
"""Processes that end with this one, and what the kernel says of them. Standard library alone."""

import ctypes
import os
import re
import signal
import subprocess
import threading
import time

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A part could not be measured; the message says why."""


def end_with_parent():
    """Has the kernel end this process with the one that started it."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Started:
    """A process whose lines are kept; leaving the block ends it."""

    def __init__(self, name, command, env=None):
        self.name = name
        self.lines = []
        self.errors = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
            preexec_fn=end_with_parent,
        )
        for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.errors)):
            threading.Thread(target=self._collect, args=(stream, lines), daemon=True).start()

    def _collect(self, stream, lines):
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                del lines[:-200]
                self._changed.notify_all()

    @property
    def pid(self):
        return self.process.pid

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def await_line(self, accepts, seconds):
        """The first line of its output, from now or before, that is accepted."""
        deadline = time.monotonic() + seconds
        while True:
            with self._changed:
                for line in self.lines:
                    if accepts(line):
                        return line
                self._changed.wait(0.1)
            if self.process.poll() is not None:
                time.sleep(0.2)  # its last lines
                for line in list(self.lines):
                    if accepts(line):
                        return line
                raise Failed(f"{self.name} ended with status {self.process.returncode}: {self.last_errors()}")
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} did not answer within {seconds} s: {self.last_errors()}")

    def last_errors(self):
        """What it said last; of a Java exception what was thrown, and not where."""
        said = [line for line in self.errors if not re.match(r"\s+at |\s+\.\.\. ", line)]
        return " | ".join(said[-5:]) or "nothing on its standard error"

    def await_end(self, seconds):
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired as expired:
            raise Failed(f"{self.name} was not done within {seconds} s: {self.last_errors()}") from expired
        if status != 0:
            raise Failed(f"{self.name} ended with status {status}: {self.last_errors()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Asks it to end, by the end of its input; then by force."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def cpu_seconds(pids):
    """CPU time of processes so far, all their threads together."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])  # utime, stime
    return total / _TICKS


def resident_mib(pids):
    """Memory in RAM, MiB."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
    return total / 1024
