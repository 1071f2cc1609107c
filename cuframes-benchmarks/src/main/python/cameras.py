# SPDX-License-Identifier: Apache-2.0
"""
Several cameras and several services that read all of them: once with one decode of each camera, shared by cuframes, once with a decode for every reader,
as independent ffmpeg processes. The same clip in both, at real-time pace.
"""

import json
import os
import tempfile
import time

import gpu_usage
from processes import Failed, Started, cpu_seconds, resident_mib

START_SECONDS = 60


class Plan:
    """What is shown."""

    def __init__(self, cameras, readers, seconds, fps, clip, device, software, one_process, check_every, devices=None, reader_device=None):
        self.cameras = cameras
        self.readers = readers
        self.seconds = seconds
        self.fps = fps
        self.clip = clip
        self.device = device
        self.software = software
        self.one_process = one_process
        self.check_every = check_every
        # Where cameras are decoded by turns, and where all are read and copied to; the ring's own, and in place, where it is not said.
        self.devices = devices or [device]
        self.reader_device = reader_device


def source_commands(cuframes, plan, directory, keys):
    """The sources: one process for all cameras where rtsp-source can do that, else one for each."""
    common = ["--realtime", "--loop", "--socket-dir", directory, "--until-stdin-ends"]
    common += ["--transport", "host", "--decoder", "cpu"] if plan.software else ["--decoder", "nvdec", "--device", str(plan.devices[0])]
    if len(plan.devices) > 1:
        config = os.path.join(directory, "cameras.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("cameras:\n")
            for number, key in enumerate(keys):
                device = plan.devices[number % len(plan.devices)]
                file.write(f"  - key: {key}\n    url: {plan.clip}\n    device: {device}\n")
        return [[cuframes, "rtsp-source", "--config", config, *common]]
    if plan.one_process:
        cameras = [word for key in keys for word in ("--camera", f"{key}={plan.clip}")]
        return [[cuframes, "rtsp-source", *cameras, *common]]
    return [[cuframes, "rtsp-source", "--rtsp", plan.clip, "--key", key, *common] for key in keys]


def _measured(plan, pids_of, seconds):
    """Waits; gives CPU, memory and the GPU's load over that time."""
    before = {who: cpu_seconds(pids) for who, pids in pids_of.items()}
    begin = time.monotonic()
    if plan.software:
        usage = {"left_out": "software decoding"}
        time.sleep(seconds)
    elif gpu_usage.why_not():
        usage = {"left_out": gpu_usage.why_not()}
        time.sleep(seconds)
    else:
        links = gpu_usage.nvlink_kib(plan.device)
        with gpu_usage.Sampled(plan.device) as sampled:
            time.sleep(seconds)
            usage = sampled.means()
        usage["vram_mib"] = gpu_usage.vram_mib(plan.device)
        later = gpu_usage.nvlink_kib(plan.device)
        if links and later:
            usage["nvlink_sent_mb_per_s"] = round((later[0] - links[0]) * 1024 / 1e6 / seconds)
            usage["nvlink_received_mb_per_s"] = round((later[1] - links[1]) * 1024 / 1e6 / seconds)
    passed = time.monotonic() - begin
    result = {"seconds": round(passed, 1), "gpu": usage}
    for who, pids in pids_of.items():
        result[who] = {
            "processes": len(pids),
            "cpu_cores": round((cpu_seconds(pids) - before[who]) / passed, 3),
            "resident_mib": round(resident_mib(pids)),
        }
    return result


def shared(plan, cuframes, java):
    """One decode of each camera, all readers on the rings."""
    directory = tempfile.mkdtemp(prefix="cuframes-cameras-")
    keys = [f"cameras-{os.getpid()}-{number}" for number in range(plan.cameras)]
    started = []
    try:
        sources = []
        for number, command in enumerate(source_commands(cuframes, plan, directory, keys)):
            sources.append(Started(f"source {number + 1}", command))
            started.append(sources[-1])
        readers = []
        for number in range(plan.readers):
            command = [*java, "io.cuframes.benchmarks.StreamReaders", directory, plan.check_every,
                       -1 if plan.reader_device is None else plan.reader_device, *keys]
            readers.append(Started(f"service {number + 1}", command))
            started.append(readers[-1])
        for reader in readers:
            reader.await_line(lambda line: line == "connected", START_SECONDS)
        time.sleep(3)  # what JVMs compile first
        for reader in readers:
            reader.tell("go")
        result = _measured(
            plan, {"sources": [each.pid for each in sources], "services": [each.pid for each in readers]}, plan.seconds
        )
        for source in sources:
            if source.process.poll() is not None:
                raise Failed(f"{source.name} ended: {source.last_errors()}")
        for reader in readers:
            reader.tell("stop")
        counts = [json.loads(reader.await_line(lambda line: line.startswith("{"), START_SECONDS)) for reader in readers]
        for name in ("frames", "gaps", "checked", "torn"):
            result[name] = sum(each[name] for each in counts)
        result["frames_expected"] = round(plan.cameras * plan.readers * plan.fps * result["seconds"])
        result["publish_to_next_p50_us"] = max(each["publish_to_next_p50_us"] for each in counts)
        result["publish_to_next_p99_us"] = max(each["publish_to_next_p99_us"] for each in counts)
        result["failures"] = " ".join(each["failures"] for each in counts).strip()
        result["decodes"] = plan.cameras
        return result
    finally:
        for each in reversed(started):  # the readers first
            each.__exit__()
        for name in os.listdir(directory):
            os.unlink(os.path.join(directory, name))
        os.rmdir(directory)


def _frames_of(path):
    """The newest count that ffmpeg wrote of its progress."""
    try:
        with open(path, encoding="ascii", errors="replace") as progress:
            counts = [int(line.split("=")[1]) for line in progress if line.startswith("frame=")]
    except FileNotFoundError:
        return 0
    return counts[-1] if counts else 0


def independent(plan, ffmpeg):
    """A decode for every reader of every camera, each a process of FFmpeg's own program; the frames go nowhere."""
    number = plan.cameras * plan.readers
    decoding = [] if plan.software else ["-hwaccel", "cuda", "-hwaccel_device", plan.device, "-hwaccel_output_format", "cuda"]
    started = []
    # The libraries that come with the program lie beside it, and those that they need are not found there by themselves.
    libraries = os.pathsep.join(filter(None, (os.path.dirname(ffmpeg), os.environ.get("LD_LIBRARY_PATH"))))
    environment = dict(os.environ, LD_LIBRARY_PATH=libraries)
    with tempfile.TemporaryDirectory(prefix="cuframes-ffmpeg-") as directory:
        try:
            for each in range(number):
                progress = os.path.join(directory, str(each))
                started.append(
                    Started(
                        f"ffmpeg {each + 1}",
                        [ffmpeg, "-hide_banner", "-loglevel", "error", "-nostats", "-stats_period", "0.5"]
                        + ["-progress", progress, *decoding, "-re", "-stream_loop", "-1", "-i", plan.clip, "-f", "null", "-"],
                        environment,
                    )
                )
            deadline = time.monotonic() + START_SECONDS
            while not all(_frames_of(os.path.join(directory, str(each))) > 0 for each in range(number)):
                for process in started:
                    if process.process.poll() is not None:
                        raise Failed(f"{process.name} ended: {process.last_errors()}")
                if time.monotonic() > deadline:
                    raise Failed(f"not all of {number} ffmpeg decoded within {START_SECONDS} s")
                time.sleep(0.2)
            before = [_frames_of(os.path.join(directory, str(each))) for each in range(number)]
            result = _measured(plan, {"ffmpeg": [each.pid for each in started]}, plan.seconds)
            for process in started:
                if process.process.poll() is not None:
                    raise Failed(f"{process.name} ended while it was measured: {process.last_errors()}")
            after = [_frames_of(os.path.join(directory, str(each))) for each in range(number)]
            result["frames"] = sum(after) - sum(before)
            result["frames_expected"] = round(number * plan.fps * result["seconds"])
            result["decodes"] = number
            return result
        finally:
            for each in started:
                each.process.kill()
                each.__exit__()
