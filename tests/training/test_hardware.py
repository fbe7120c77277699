import os
import platform
import subprocess
import sys

import pytest
import torch

from tests.support import ROOT
from training import hardware
from training.hardware import DeviceError, best_precision, cpu_field, default_threads, resolve_device

CONFIGURED = """
import torch
from training.hardware import configure_torch
configure_torch("cpu", threads=3, deterministic=False, seed=5)
print(torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.initial_seed())
print(torch.empty(1000).isnan().any().item())
"""


def test_cuda_that_is_not_there_is_refused_with_the_reason() -> None:
    if torch.cuda.is_available():
        pytest.skip("has CUDA")
    with pytest.raises(DeviceError, match="no CUDA device"):
        resolve_device("cuda")
    assert resolve_device("auto") == "cpu"


def test_a_device_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [resolve_device(name) for name in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]


@pytest.mark.parametrize(
    ("flags", "precision"),
    [("fpu sse avx512_bf16", "bf16"), ("amx_bf16", "bf16"), ("fpu avx2 avx512f", "fp32"), ("", "fp32")],
)
def test_a_cpu_computes_in_bf16_if_it_has_the_instructions(
    flags: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "cpu_field", lambda name: {"flags": flags}[name])
    assert best_precision("cpu") == precision


def test_the_processor_is_shown_with_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "cpu_field", lambda name: {"model name": "A CPU"}[name])
    assert [hardware.hardware("cpu", threads) for threads in (1, 2)] == ["A CPU, 1 thread", "A CPU, 2 threads"]
    monkeypatch.setattr(hardware, "cpu_field", lambda name: "")
    assert hardware.hardware("cpu", 1) == f"{platform.processor() or platform.machine()}, 1 thread"


@pytest.mark.skipif(not os.path.exists("/proc/cpuinfo"), reason="needs Linux")
def test_an_unknown_field_of_the_cpu_is_empty() -> None:
    assert cpu_field("processor") == "0"
    assert cpu_field("no such field") == ""


def test_there_is_a_thread_per_core_that_the_process_may_use() -> None:
    assert default_threads() == len(os.sched_getaffinity(0))


def test_torch_is_deterministic_on_a_cpu_and_does_not_fill_new_tensors() -> None:
    done = subprocess.run([sys.executable, "-c", CONFIGURED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "True", "5", "False"]
