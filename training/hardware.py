"""The device that training runs on, and how torch is set up for it."""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path

import torch

# Instructions with which a CPU multiplies matrices of bf16 numbers.
BF16_FLAGS = {"avx512_bf16", "amx_bf16"}

# Parameters of glibc's mallopt, from malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3


class DeviceError(ValueError):
    """A device that this machine does not have; the message says what to use instead."""


def resolve_device(name: str) -> str:
    """``cpu`` or ``cuda`` for auto, cpu or cuda; raises DeviceError where cuda can't be had."""
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError("--device cuda: torch finds no CUDA device here; use --device cpu or auto")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def default_threads() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def best_precision(device: str) -> str:
    """bf16 where the hardware computes in it, else fp32."""
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if BF16_FLAGS & {*cpu_field("flags").split()} else "fp32"


def processor_name(device: str) -> str:
    """The name of the GPU or CPU that trains."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return cpu_field("model name") or platform.processor() or platform.machine()


def hardware(device: str, threads: int) -> str:
    """The processor, and on a CPU the number of threads, as run folders and model cards show it."""
    return processor_name(device) + (f", {threads} thread{'s' * (threads > 1)}" if device == "cpu" else "")


def cpu_field(name: str) -> str:
    """A field of the first processor in /proc/cpuinfo; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def configure_torch(device: str, *, threads: int, deterministic: bool, seed: int) -> None:
    """Set the state that torch shares in the whole process; this is the only place where training does so."""
    torch.set_num_threads(threads)
    if device == "cpu" or deterministic:
        # A run that is resumed must end with the same weights, bit for bit.
        torch.use_deterministic_algorithms(True)
        # cuBLAS is deterministic only with a workspace of fixed size.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # Deterministic algorithms fill each new tensor. This takes time, and nothing reads a tensor before it is set.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if device == "cpu":
        keep_freed_memory()
    # Fresh weights come from the global generator.
    torch.manual_seed(seed)


def keep_freed_memory() -> None:
    """Tell glibc to reuse big freed blocks; without glibc nothing is changed."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        # Page faults of fresh blocks cost up to a third of a training step on a CPU.
        libc.mallopt(M_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(M_TRIM_THRESHOLD, 1 << 30)
    except (OSError, AttributeError):
        return
