# SPDX-License-Identifier: Apache-2.0
"""What nvidia-smi says of the GPU while something runs."""

import re
import shutil
import subprocess

from processes import Started

# dmon's names of columns, and ours.
_COLUMNS = {
    "sm": "sm_percent",
    "dec": "nvdec_percent",
    "mem": "memory_controller_percent",
    "rxpci": "pcie_to_gpu_mb_per_s",
    "txpci": "pcie_from_gpu_mb_per_s",
    "fb": "vram_mib",
}


def why_not():
    """Why there is nothing to be said; None if there is."""
    return None if shutil.which("nvidia-smi") else "there is no nvidia-smi"


def vram_mib(device):
    """Memory in use on the device, MiB."""
    text = subprocess.run(
        ["nvidia-smi", "-i", str(device), "--query-gpu=memory.used", "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    return float(text.split()[0])


def nvlink_kib(device):
    """What the device's NVLinks have carried so far, KiB sent and received; None where nvidia-smi does not tell."""
    try:
        text = subprocess.run(
            ["nvidia-smi", "nvlink", "-gt", "d", "-i", str(device)], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    sent = [int(number) for number in re.findall(r"Data Tx:\s*(\d+) KiB", text)]
    received = [int(number) for number in re.findall(r"Data Rx:\s*(\d+) KiB", text)]
    return (sum(sent), sum(received)) if sent and received else None


class Sampled:
    """Samples once a second within the block."""

    def __init__(self, device):
        self._device = device
        self._dmon = None

    def __enter__(self):
        self._dmon = Started("nvidia-smi", ["nvidia-smi", "dmon", "-i", self._device, "-s", "umt", "-d", "1"])
        return self

    def __exit__(self, *arguments):
        self._dmon.process.terminate()
        self._dmon.__exit__(*arguments)

    def means(self):
        """The mean of each column that the device has, of all samples so far."""
        return means_of(self._dmon.lines)


def means_of(lines):
    """As nvidia-smi dmon prints it: two lines that begin with #, names and units, then a line a second, - where there is nothing."""
    names = []
    values = {}
    for line in lines:
        words = line.replace("#", " # ").split()
        if words and words[0] == "#":
            if "gpu" in words:
                names = words[1:]
            continue
        if len(words) == len(names):
            for name, word in zip(names, words):
                if name in _COLUMNS and word != "-":
                    values.setdefault(_COLUMNS[name], []).append(float(word))
    return {name: round(sum(all_of) / len(all_of), 1) for name, all_of in values.items()}
