# SPDX-License-Identifier: Apache-2.0
"""What processes that share a ring keep in memory: on the GPU beyond the ring and a context each, and on a subscriber's Java heap."""

import json
import os
import sys
import tempfile

import gpu_usage
from processes import Started

# A process with a CUDA context and nothing else, by libcuda itself.
_CONTEXT_ALONE = """
import ctypes, sys
cuda = ctypes.CDLL("libcuda.so.1")
context = ctypes.c_void_p()
for status in (cuda.cuInit(0), cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), int(sys.argv[1])), cuda.cuCtxSetCurrent(context)):
    if status:
        sys.exit("CUDA error " + str(status))
print("ready", flush=True)
sys.stdin.read()
"""

_ANSWER_SECONDS = 90


def measured(java, device, transport, size, slots=16, subscribers=3):
    """Figures in MiB; the GPU's are differences of what nvidia-smi says is in use, so nothing else may use it meanwhile."""
    on_gpu = transport != "HOST" and not gpu_usage.why_not()
    result = {"transport": transport, "subscribers": subscribers}

    def used():
        return gpu_usage.vram_mib(device) if on_gpu else 0.0

    idle = used()
    if on_gpu:
        with Started("a context", [sys.executable, "-c", _CONTEXT_ALONE, device]) as alone:
            alone.await_line(lambda line: line == "ready", _ANSWER_SECONDS)
            result["context_mib"] = used() - idle
        result["idle_mib"] = idle = used()
    role = [*java, "io.cuframes.benchmarks.MemoryRole"]
    started = []
    with tempfile.TemporaryDirectory(prefix="cuframes-memory-") as directory:
        try:
            width, height = size.split("x")
            started.append(Started("publisher", [*role, "publisher", directory, "memory", transport, width, height, slots]))
            line = started[0].await_line(lambda text: text.startswith("{"), _ANSWER_SECONDS)
            result["ring_mib"] = json.loads(line)["ring_bytes"] / 2**20
            result["publisher_mib"] = used() - idle
            heaps = []
            for number in range(subscribers):
                started.append(Started(f"subscriber {number + 1}", [*role, "subscriber", directory, "memory"]))
                line = started[-1].await_line(lambda text: text.startswith("{"), _ANSWER_SECONDS)
                heaps.append(json.loads(line)["heap_bytes"] / 2**20)
            result["all_mib"] = used() - idle
            result["subscriber_heap_mib"] = max(heaps)
        finally:
            for each in reversed(started):
                each.__exit__()
            for name in os.listdir(directory):
                os.unlink(os.path.join(directory, name))
    if on_gpu:
        result["publisher_beyond_mib"] = result["publisher_mib"] - result["ring_mib"] - result["context_mib"]
        result["subscribers_beyond_mib"] = result["all_mib"] - result["publisher_mib"] - subscribers * result["context_mib"]
    return result
