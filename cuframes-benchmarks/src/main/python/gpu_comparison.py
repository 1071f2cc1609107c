# SPDX-License-Identifier: Apache-2.0
"""
All comparisons that need a GPU, in one run: how soon a frame can be used against the floor, a stream's wait, PyTorch's multiprocessing and a copy through the
host, and what of that is the waking of a sleeping reader; what 16 subscribers cost against one; what subscribers and streams cost; what is kept in memory;
16 cameras read by 3 services, with one decode of each camera beside one for every reader; and what a frame costs with few cameras and with many.

Writes comparison.json, table.txt and the plots into --out; a part that cannot be run is left out, and said. Started by bin/benchmarks gpu.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time

import cameras
import gpu_usage
import memory
from processes import Failed, Started

HERE = os.path.dirname(os.path.abspath(__file__))

# What is kept of the directories that cuframes bench writes, under which name.
KEPT = {"ready": {"result.json": "ready.json", "latency.svg": "latency.svg", "latency.hlog": "latency.hlog"},
        "fan-out": {"result.json": "fan-out.json", "cost.svg": "fan-out.svg"},
        "sweep": {"cost.svg": "sweep.svg"}}

PARTS = "ready,torch,wake,fan-out,memory,cameras,scale,sweep,other-device,other-cameras"


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="where the results go; made if it is not there")
    parser.add_argument("--limit", type=float, default=520, help="seconds for all (520); a part that may not be done in time is left out")
    parser.add_argument("--parts", default=PARTS, help=f"which, separated by commas (all: {PARTS})")
    parser.add_argument("--rounds", type=int, default=5, help="of the readiness comparison (5)")
    parser.add_argument("--frames", type=int, default=1500, help="counted in each measurement (1500)")
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--services", type=int, default=3, help="that read all cameras (3)")
    parser.add_argument("--seconds", type=int, default=60, help="of each of the two ways with cameras (60)")
    parser.add_argument("--check-every", type=int, default=5, help="each how many frames one's pixels are checked (5)")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--subscribers", default="1,16", help="of the fan-out (1,16)")
    parser.add_argument("--scale", default="4,64", help="cameras of the two sides of the scale part (4,64)")
    parser.add_argument("--sweep-streams", default="1,4,16,64")
    parser.add_argument("--sweep-subscribers", default="1,2,4,8")
    parser.add_argument("--device", type=int, default=0)
    parser.add_argument("--reader-device", type=int, help="another GPU, to read on in the parts other-device and other-cameras")
    parser.add_argument("--other-cameras", type=int, default=64, help="of the part other-cameras (64)")
    parser.add_argument("--one-process", action="store_true", help="all cameras in one rtsp-source process, by its --camera")
    parser.add_argument("--software", action="store_true", help="host memory and the CPU in place of the GPU: to try this program out")
    return parser.parse_args(arguments)


class Run:
    """The parts, one after the other."""

    def __init__(self, options):
        self.options = options
        self.begin = time.monotonic()
        self.cuframes = os.environ["CUFRAMES"]
        self.java = [os.environ["CUFRAMES_BENCHMARKS_JAVA"], "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                     "-XX:-UsePerfData", "-Djava.util.logging.config.file=/dev/null", *os.environ.get("CUFRAMES_JAVA_OPTS", "").split(),
                     "-cp", os.environ["CUFRAMES_BENCHMARKS_CLASSES"]]
        self.result = {"parts": {}, "left_out": {}}
        self.ring = "host" if options.software else "cuda-vmm"
        self.scratch = None
        self.written = None

    def left(self):
        return self.options.limit - (time.monotonic() - self.begin)

    def part(self, name, seconds, work):
        """Runs a part if it was asked for and there is time for it."""
        if name not in self.options.parts.split(","):
            return
        if self.left() < seconds:
            self.leave_out(name, f"it may take {seconds:.0f} s, and {self.left():.0f} s are left of --limit {self.options.limit:.0f}")
            return
        print(f"gpu_comparison: {name}, {self.left():.0f} s left", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            self.result["parts"][name] = work()
            self.result["parts"][name]["part_seconds"] = round(time.monotonic() - began, 1)
        except (Failed, OSError, ValueError) as e:
            self.leave_out(name, str(e))

    def leave_out(self, name, reason):
        print(f"gpu_comparison: left out {name}: {reason}", file=sys.stderr, flush=True)
        self.result["left_out"][name] = reason

    def bench(self, name, arguments, size=None):
        out = os.path.join(self.scratch, name)
        command = [self.cuframes, "bench", "--size", size or self.options.size, "--device", self.options.device, "--out", out, *arguments]
        with Started(f"cuframes bench ({name})", command) as bench:
            bench.await_end(max(1, self.left()))
        for source, target in KEPT.get(name, {}).items():
            if os.path.exists(os.path.join(out, source)):
                shutil.copyfile(os.path.join(out, source), os.path.join(self.options.out, target))
        with open(os.path.join(out, "result.json"), encoding="utf-8") as file:
            return json.load(file)

    def ready(self):
        modes = "host-floor,host" if self.options.software else "floor,floor-by-host,cuda-vmm,stream-wait,host-copy,host-copy-pinned"
        return self.bench("ready", ["--modes", modes, "--wait", "spin,park,adaptive", "--rounds", self.options.rounds,
                                    "--frames", self.options.frames, "--warmup", self.options.frames // 3, "--rate", 1000])

    def wake(self):
        """Frames of hardly any bytes in host memory: nothing is left of a reader's wait but the waiting."""
        return self.bench("wake", ["--modes", "host", "--wait", "spin,park,adaptive", "--rounds", min(3, self.options.rounds),
                                   "--frames", self.options.frames, "--warmup", self.options.frames // 3, "--rate", 1000], "64x64")

    def sweep(self):
        return self.bench("sweep", ["--modes", self.ring, "--wait", "park", "--streams", self.options.sweep_streams, "--subscribers",
                                    self.options.sweep_subscribers, "--rate", 25, "--frames", min(75, self.options.frames), "--warmup", 25])

    def memory(self):
        transport = "HOST" if self.options.software else "CUDA_VMM"
        return memory.measured(self.java, self.options.device, transport, self.options.size)

    def torch(self):
        width, height = (int(word) for word in self.options.size.split("x"))
        command = [sys.executable, os.path.join(HERE, "torch_queue.py"), "--frames", self.options.frames,
                   "--warmup", self.options.frames // 3, "--bytes", width * height * 3 // 2]
        environment = dict(os.environ, CUDA_VISIBLE_DEVICES=os.environ.get("CUDA_VISIBLE_DEVICES", str(self.options.device)))
        with Started("PyTorch", command, environment) as torch:
            line = torch.await_line(lambda text: text.startswith("{"), min(90, max(1, self.left())))
        return json.loads(line)

    def fan_out(self):
        return self.bench("fan-out", ["--modes", self.ring, "--wait", "park", "--subscribers", self.options.subscribers,
                                      "--rounds", min(3, self.options.rounds), "--frames", min(1000, self.options.frames),
                                      "--rate", 250])

    def clip(self):
        """A clip that is longer than what is shown with it, as no camera begins anew; gives its path and that of FFmpeg's program."""
        if self.written is None:
            clip = os.path.join(self.scratch, "clip.mp4")
            width, height = self.options.size.split("x")
            frames = 25 * (self.options.seconds + 30)
            with Started("clip", [*self.java, "io.cuframes.benchmarks.Clip", clip, width, height, 25, frames]) as writer:
                self.written = clip, writer.await_line(lambda line: line.startswith("/"), 120)
        return self.written

    def plan(self, number, services, seconds, clip, one_process):
        options = self.options
        return cameras.Plan(number, services, seconds, 25, clip, options.device, options.software, one_process, options.check_every)

    def cameras(self):
        clip, ffmpeg = self.clip()
        plan = self.plan(self.options.cameras, self.options.services, self.options.seconds, clip, self.options.one_process)
        idle = None if self.options.software or gpu_usage.why_not() else gpu_usage.vram_mib(self.options.device)
        result = {"cameras": plan.cameras, "services": plan.readers, "fps": plan.fps, "vram_mib_before": idle,
                  "shared": cameras.shared(plan, self.cuframes, self.java)}
        try:
            result["independent"] = cameras.independent(plan, ffmpeg)
        except Failed as e:
            self.leave_out("cameras, independent", str(e))
        return result

    def scale(self):
        """What a frame costs the process that publishes it, with few cameras and with many."""
        clip, _ = self.clip()
        sides = []
        for number in (int(word) for word in self.options.scale.split(",")):
            side = cameras.shared(self.plan(number, 1, max(1, self.options.seconds // 3), clip, True), self.cuframes, self.java)
            side["cpu_us_per_frame"] = 1e6 * side["sources"]["cpu_cores"] * side["seconds"] / max(1, side["frames"])
            sides.append({"cameras": number, **side})
        return {"sides": sides}

    def other_device(self):
        """A frame read on another GPU than the ring's, and how soon after its publishing, beside the ring's own."""
        options = self.options
        command = [*self.java, "io.cuframes.benchmarks.OtherDeviceBenchmark", options.frames, options.device, options.reader_device, 400]
        with Started("other device", command) as benchmark:
            ways = json.loads(benchmark.await_line(lambda line: line.startswith("{"), max(1, self.left())))
        ready = self.bench("other-device", ["--modes", "floor,cuda-vmm,cuda-vmm-other", "--reader-device", options.reader_device, "--wait", "spin,adaptive",
                                            "--rounds", min(3, options.rounds), "--frames", options.frames, "--warmup", options.frames // 3, "--rate", 400])
        return {"ways": ways["ways"], "rate": ways["rate"], "ready": ready}

    def other_cameras(self):
        """Many cameras decoded on one GPU and read on another, and decoded on both and read where they are."""
        clip, _ = self.clip()
        options = self.options
        sides = {}
        for name, devices, reader in (("read on the other", [options.device], options.reader_device),
                                      ("read on the same", [options.device], options.device),
                                      ("decoded on both", [options.device, options.reader_device], None)):
            plan = self.plan(options.other_cameras, 1, max(1, options.seconds // 3), clip, True)
            plan.devices = devices
            plan.reader_device = reader
            sides[name] = cameras.shared(plan, self.cuframes, self.java)
        return {"cameras": options.other_cameras, "sides": sides}

    def all(self):
        os.makedirs(self.options.out, exist_ok=True)
        options = self.options
        with tempfile.TemporaryDirectory(prefix="cuframes-comparison-") as self.scratch:
            self.part("ready", 9 * options.rounds * (4 + options.frames / 750), self.ready)
            self.part("torch", 45, self.torch) if not options.software else self.leave_out("torch", "software")
            self.part("wake", 12 * min(3, options.rounds), self.wake)
            self.part("fan-out", 75, self.fan_out)
            self.part("memory", 40, self.memory)
            self.part("cameras", 2 * options.seconds + 50, self.cameras)
            self.part("scale", 2 * (options.seconds // 3) + 50, self.scale)
            self.part("sweep", 140, self.sweep)
            if options.reader_device is None:
                for name in ("other-device", "other-cameras"):
                    if name in options.parts.split(","):
                        self.leave_out(name, "no --reader-device was given")
            else:
                self.part("other-device", 90, self.other_device)
                self.part("other-cameras", 3 * (options.seconds // 3) + 60, self.other_cameras)
        self.result["table"] = table(self.result["parts"])
        self.result["host"] = {"kernel": platform.release(), "cores": len(os.sched_getaffinity(0)), "python": platform.python_version(),
                               "seconds": round(time.monotonic() - self.begin, 1)}
        with open(os.path.join(options.out, "comparison.json"), "w", encoding="utf-8") as file:
            json.dump(self.result, file, indent=1)
        text = text_of(self.result)
        with open(os.path.join(options.out, "table.txt"), "w", encoding="utf-8") as file:
            file.write(text)
        print(text, end="")
        return 0 if self.result["parts"] else 5


def case(part, mode, wait=None):
    for each in part["cases"]:
        if each["mode"] == mode and each.get("wait") == wait:
            return each
    return None


def row(what, value, unit, target):
    return {"what": what, "value": round(value, 3), "unit": unit, "target": target}


def table(parts):
    """The rows: each a ratio, or a figure, of this run."""
    rows = []
    ready = parts.get("ready")
    if ready:
        ring = next(each["mode"] for each in ready["cases"] if each["mode"] in ("host", "cuda-vmm"))
        for wait, target in (("spin", "at most 1.5"), ("park", "at most 2.2"), ("adaptive", "at most 2.2")):
            one = case(ready, ring, wait)
            if one and "p50_against_floor" in one:
                rows.append(row(f"p50 of {wait} against the floor", one["p50_against_floor"], "x", target))
        spin = case(ready, ring, "spin")
        told = case(ready, "floor-by-host")
        for wait in ("spin", "adaptive"):
            one = case(ready, ring, wait)
            if one and told:
                ratio = one["latency_us"]["p50"] / told["latency_us"]["p50"]
                rows.append(row(f"p50 of {wait} against the floor by way of the host", ratio, "x", ""))
        for name, words, target in (("stream_wait", "a stream's wait", "at least 15"), ("host_copy", "a copy through the host", "at least 40"),
                                    ("host_copy_pinned", "that through registered memory", "")):
            if spin and "times_as_soon_as_" + name in spin:
                rows.append(row(f"spin, times as soon as {words}", spin["times_as_soon_as_" + name], "x", target))
        if spin and parts.get("torch"):
            rows.append(row("spin, times as soon as PyTorch multiprocessing", parts["torch"]["p50"] / spin["latency_us"]["p50"], "x", "at least 12"))
        for wait in ("spin", "park", "adaptive"):
            one = case(ready, ring, wait)
            if one and "publish_us" in one:
                rows.append(row(f"publish(), p50, {wait}", one["publish_us"]["p50"], "us", "at most 8"))
    for each in parts.get("fan-out", {}).get("fan_out", []):
        words = f"{each['subscribers']} parked subscribers against {each['against']}: "
        rows.append(row(words + "publish() p50", each["publish_p50"], "x", "at most 4"))
        rows.append(row(words + "the publisher's CPU", each["writer_cpu"], "x", "at most 4"))
        rows.append(row(words + "readers' p99", each["reader_p99"], "x", "at most 3"))
    both = parts.get("cameras")
    if both:
        one, other = both["shared"], both.get("independent")
        title = f"{both['cameras']} cameras, {both['services']} services"
        rows.append(row(f"{title}: gaps", one["gaps"], "", "0"))
        rows.append(row(f"{title}: torn, of {one['checked']} looked at", one["torn"], "", "0"))
        rows.append(row(f"{title}: frames read of those expected", one["frames"] / one["frames_expected"], "x", ""))
        cpu = one["sources"]["cpu_cores"] + one["services"]["cpu_cores"]
        rows.append(row(f"{title}: CPU, shared (sources and services)", cpu, "cores", ""))
        if other:
            rows.append(row(f"{title}: decodes, shared / independent", one["decodes"] / other["decodes"], "x", ""))
            rows.append(row(f"{title}: CPU, independent ffmpeg", other["ffmpeg"]["cpu_cores"], "cores", ""))
        for name in ("nvdec_percent", "sm_percent", "vram_mib", "pcie_to_gpu_mb_per_s", "pcie_from_gpu_mb_per_s"):
            for way, words in ((one, "shared"), (other, "independent")):
                if way and name in way["gpu"]:
                    rows.append(row(f"{title}: {name}, {words}", way["gpu"][name], "", ""))
    if parts.get("wake"):
        spin = case(parts["wake"], "host", "spin")
        for wait in ("park", "adaptive"):
            one = case(parts["wake"], "host", wait)
            if spin and one:
                more = one["latency_us"]["p50"] - spin["latency_us"]["p50"]
                rows.append(row(f"no pixels, host memory: {wait}'s p50 beyond spin's, the waking alone", more, "us", ""))
    if parts.get("scale"):
        few, many = parts["scale"]["sides"]
        words = f"CPU for each frame, {many['cameras']} cameras in one process against {few['cameras']}"
        rows.append(row(words, many["cpu_us_per_frame"] / few["cpu_us_per_frame"], "x", "at most 1.2"))
        rows.append(row(f"{many['cameras']} cameras: gaps", many["gaps"], "", "0"))
    other = parts.get("other-device")
    if other:
        staged = other["ways"]["staged"]["p50_us"]
        rows.append(row("a 1080p frame on another GPU, times as fast as staged: in place", staged / other["ways"]["place"]["p50_us"], "x", "at least 8"))
        rows.append(row("a 1080p frame on another GPU, times as fast as staged: peer copy", staged / other["ways"]["peer"]["p50_us"], "x", "at least 8"))
        rows.append(row("the copies alone", other["ways"]["staged_copy"]["p50_us"] / other["ways"]["peer_copy"]["p50_us"], "x", "at least 8"))
        for wait in ("spin", "adaptive"):
            same, there = case(other["ready"], "cuda-vmm", wait), case(other["ready"], "cuda-vmm-other", wait)
            if same and there:
                ratio = there["latency_us"]["p50"] / same["latency_us"]["p50"]
                rows.append(row(f"publish to usable on another GPU against the same, p50, {wait}", ratio, "x", ""))
    if parts.get("other-cameras"):
        for name, side in parts["other-cameras"]["sides"].items():
            title = f"{parts['other-cameras']['cameras']} cameras, {name}"
            rows.append(row(f"{title}: fps of each", side["frames"] / side["seconds"] / parts["other-cameras"]["cameras"], "fps", "25"))
            rows.append(row(f"{title}: gaps", side["gaps"], "", "0"))
            rows.append(row(f"{title}: CPU", side["sources"]["cpu_cores"] + side["services"]["cpu_cores"], "cores", ""))
            for column in ("nvlink_sent_mb_per_s", "nvlink_received_mb_per_s"):
                if column in side["gpu"]:
                    rows.append(row(f"{title}: {column}", side["gpu"][column], "MB/s", ""))
    kept = parts.get("memory")
    if kept:
        for name, words in (("publisher_beyond_mib", "the publisher's VRAM beyond the ring and a context"),
                            ("subscribers_beyond_mib", f"{kept['subscribers']} subscribers' VRAM beyond a context each")):
            if name in kept:
                rows.append(row(words, kept[name], "MiB", "0"))
        rows.append(row("a subscriber's Java heap, live", kept["subscriber_heap_mib"], "MiB", "less than 16"))
    return rows


def text_of(result):
    lines = [f"{each['what']:<64} {each['value']:>12.3f} {each['unit']:<6} {each['target']}" for each in result["table"]]
    lines += [f"left out: {name}: {reason}" for name, reason in result["left_out"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(Run(options_of(None)).all())
