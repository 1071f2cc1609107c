# SPDX-License-Identifier: Apache-2.0
"""What the GPU comparison reads and computes, without a GPU."""

import sys
import time
import unittest

import cameras
import gpu_comparison
import gpu_usage
import torch_queue
from processes import Failed, Started, cpu_seconds


class Usage(unittest.TestCase):
    LINES = [
        "# gpu     sm    mem    enc    dec    jpg    ofa     fb   bar1   ccpm  rxpci  txpci ",
        "# Idx      %      %      %      %      %      %     MB     MB     MB   MB/s   MB/s ",
        "    0     10      4      0     30      0      0   1000      3      0      7      - ",
        "    0     20      6      0     50      0      0   1001      3      0      9      - ",
    ]

    def test_columns_are_found_by_their_names(self):
        means = gpu_usage.means_of(self.LINES)
        self.assertEqual(
            {"sm_percent": 15, "memory_controller_percent": 5, "nvdec_percent": 40, "vram_mib": 1000.5,
             "pcie_to_gpu_mb_per_s": 8},
            means,
        )

    def test_a_header_may_come_again(self):
        self.assertEqual(gpu_usage.means_of(self.LINES), gpu_usage.means_of(self.LINES[:3] + self.LINES[:2] + self.LINES[3:]))

    def test_nothing_said_is_nothing(self):
        self.assertEqual({}, gpu_usage.means_of([]))


class Percentiles(unittest.TestCase):
    def test_the_smallest_value_that_so_many_do_not_exceed(self):
        values = list(range(1, 101))
        self.assertEqual(50, torch_queue.percentile(values, 50))
        self.assertEqual(99, torch_queue.percentile(values, 99))
        self.assertEqual(100, torch_queue.percentile(values, 99.9))
        self.assertEqual(7, torch_queue.percentile([7], 50))


class Table(unittest.TestCase):
    def ready(self):
        return {"cases": [
            {"mode": "floor", "wait": None, "latency_us": {"p50": 10}},
            {"mode": "cuda-vmm", "wait": "spin", "latency_us": {"p50": 15}, "publish_us": {"p50": 4},
             "p50_against_floor": 1.5, "times_as_soon_as_stream_wait": 20, "times_as_soon_as_host_copy": 50},
        ]}

    def test_each_ratio_is_of_this_run(self):
        rows = {each["what"]: each["value"] for each in gpu_comparison.table({"ready": self.ready(), "torch": {"p50": 240}})}
        self.assertEqual(1.5, rows["p50 of spin against the floor"])
        self.assertEqual(20, rows["spin, times as soon as a stream's wait"])
        self.assertEqual(16, rows["spin, times as soon as PyTorch multiprocessing"])
        self.assertEqual(4, rows["publish(), p50, spin"])

    def test_what_was_not_measured_has_no_row(self):
        self.assertEqual([], gpu_comparison.table({}))
        rows = [each["what"] for each in gpu_comparison.table({"ready": self.ready()})]
        self.assertFalse([what for what in rows if "PyTorch" in what])


class Sources(unittest.TestCase):
    def plan(self, one_process):
        return cameras.Plan(2, 3, 60, 25, "/c.mp4", 0, False, one_process, 5)

    def test_one_process_for_each_camera_or_for_all(self):
        each = cameras.source_commands("cuframes", self.plan(False), "/d", ["a", "b"])
        self.assertEqual([["--key", "a"], ["--key", "b"]], [command[command.index("--key"):][:2] for command in each])
        [all_of] = cameras.source_commands("cuframes", self.plan(True), "/d", ["a", "b"])
        self.assertEqual(["a=/c.mp4", "b=/c.mp4"], [word for word in all_of if "=" in word])


class Processes(unittest.TestCase):
    def test_one_that_fails_says_why(self):
        with Started("it", [sys.executable, "-c", "import sys; sys.exit('no such thing')"]) as it:
            with self.assertRaisesRegex(Failed, "it ended with status 1: no such thing"):
                it.await_line(lambda line: True, 30)

    def test_cpu_time_grows_with_what_is_done(self):
        with Started("it", [sys.executable, "-c", "print('on', flush=True)\nwhile True: pass"]) as it:
            it.await_line(lambda line: line == "on", 30)
            before = cpu_seconds([it.pid])
            deadline = time.monotonic() + 30
            while cpu_seconds([it.pid]) < before + 0.1 and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertGreaterEqual(cpu_seconds([it.pid]), before + 0.1)
            it.process.kill()


if __name__ == "__main__":
    unittest.main()
