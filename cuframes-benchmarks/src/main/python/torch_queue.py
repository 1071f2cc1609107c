# SPDX-License-Identifier: Apache-2.0
"""
What PyTorch's own way between processes takes: a tensor on the GPU, filled by one process, through torch.multiprocessing's SimpleQueue, one element
read by the other. Timed and paced as cuframes bench does it. Prints one line of JSON, microseconds.
"""

import argparse
import json
import sys
import time

from processes import end_with_parent

SLOTS = 6


def fill_of(number):
    return number % 251


def consume(frames, warmup, queue, done, results):
    """Reads the last element of each frame, says so, and at the end gives the latencies."""
    import torch

    end_with_parent()
    torch.cuda.init()
    latencies = []
    wrong = 0
    for number in range(1, frames + warmup + 1):
        start, tensor = queue.get()
        value = int(tensor[-1].item())
        now = time.monotonic_ns()
        if number > warmup:
            latencies.append(now - start)
            wrong += value != fill_of(number)
        del tensor
        done.put(number)
    results.put((latencies, wrong))


def percentile(ordered, share):
    """The smallest value that is not below so great a share of all."""
    return ordered[min(len(ordered) - 1, max(0, int(len(ordered) * share / 100 + 0.999999) - 1))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--warmup", type=int, default=500)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--bytes", type=int, default=1920 * 1080 * 3 // 2)
    options = parser.parse_args()
    try:
        import torch
        import torch.multiprocessing as mp
    except ImportError as e:
        sys.exit(f"PyTorch is not installed: {e}")
    if not torch.cuda.is_available():
        sys.exit("PyTorch sees no CUDA device")
    mp.set_start_method("spawn")
    queue, done, results = mp.SimpleQueue(), mp.SimpleQueue(), mp.SimpleQueue()
    consumer = mp.Process(
        target=consume, args=(options.frames, options.warmup, queue, done, results), daemon=True
    )
    consumer.start()
    ring = [torch.empty(options.bytes, dtype=torch.uint8, device="cuda") for _ in range(SLOTS)]
    gap = 1e9 / options.rate
    for number in range(1, options.frames + options.warmup + 1):
        start = time.monotonic_ns()
        frame = ring[number % SLOTS]
        frame.fill_(fill_of(number))
        queue.put((start, frame))
        done.get()
        while time.monotonic_ns() - start < gap:
            pass
    latencies, wrong = results.get()
    consumer.join(10)
    ordered = sorted(latencies)
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "frames": len(ordered),
                "wrong": wrong,
                **{
                    name: round(percentile(ordered, share) / 1e3, 1)
                    for name, share in (("p50", 50), ("p90", 90), ("p99", 99), ("p99_9", 99.9))
                },
                "max": round(ordered[-1] / 1e3, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
