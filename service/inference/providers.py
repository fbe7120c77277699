"""Execution providers: onnxruntime sessions of a bundle on the device that was asked for, or the best that works."""

from __future__ import annotations

import ctypes
import logging
import os
from typing import Any

import onnxruntime as ort

from export.bundle import DECODER, ENCODER, Bundle
from export.manifest import GraphSpec
from service.batching.jobs import MAX_BATCH
from service.inference.sessions import CudaGraphSession, PaddedSession, Session
from service.threads import cores
from service.types import Device

log = logging.getLogger("spritevae.sessions")
CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
Pair = tuple[Session, Session]
# What is no folder has nothing in it.
NO_FOLDER = os.devnull


class ModelError(ValueError):
    """A model that can't be run here; the message says why."""


def open_sessions(bundle: Bundle, device: Device, threads: int, cuda_graphs: bool) -> Pair:
    """The encoder and the decoder; raises ModelError."""
    if device == "cpu":
        return _pair(bundle, CPU, threads)
    provider = TENSORRT if device == "tensorrt" else CUDA
    reason = cuda_obstacle(provider)
    if reason is None:
        try:
            return _pair(bundle, provider, threads, strict=device != "auto", cuda_graphs=cuda_graphs)
        except ModelError as error:
            reason = str(error)
    if device != "auto":
        raise ModelError(f"{provider} can't be used: {reason}")
    log.info("%s runs on the CPU: %s", bundle.manifest.name, reason)
    return _pair(bundle, CPU, threads)


def cuda_obstacle(provider: str = CUDA) -> str | None:
    """Why CUDA can't be had here; None if the onnxruntime build and an NVIDIA driver with a device are there."""
    if provider not in ort.get_available_providers():
        return f"this onnxruntime has no {provider} (it takes onnxruntime-gpu, in place of onnxruntime)"
    # The GPU build claims CUDA on any machine, so the driver is asked.
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "no NVIDIA driver here (libcuda.so.1 is missing)"
    if (code := driver.cuInit(0)) != 0:
        return f"the NVIDIA driver finds no usable device (cuInit: {code})"
    return None


def concurrent_batches(provider: str, threads: int) -> int:
    """How many batches, each on ``threads`` threads, run at once: as many as there are cores for; one on a GPU."""
    return max(1, cores() // threads) if provider == CPU else 1


def _pair(bundle: Bundle, provider: str, threads: int, strict: bool = False, cuda_graphs: bool = False) -> Pair:
    def session(file: str, spec: GraphSpec) -> Session:
        options = _options(provider, threads, strict)
        opened = _inference_session(bundle, file, options, _providers(provider, spec, strict, cuda_graphs))
        if (real := opened.get_providers()[0]) != provider:
            raise ModelError(f"{bundle.path / file}: asked for {provider}, onnxruntime took {real}")
        if provider == CPU:
            return Session(opened)
        return CudaGraphSession(opened, "cuda") if cuda_graphs else PaddedSession(opened)

    return session(ENCODER, bundle.manifest.encoder), session(DECODER, bundle.manifest.decoder)


def _options(provider: str, threads: int, strict: bool) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised, once
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # ``export.external_data`` has refused graphs that name other files; onnxruntime from 1.24 on finds none either.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", NO_FOLDER)
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if strict:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    if provider == CPU:
        # Batch sizes vary: arenas sized by the largest would never be given back.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
    return options


def _providers(provider: str, spec: GraphSpec, strict: bool, cuda_graphs: bool) -> list[Any]:
    if provider == CPU:
        return [CPU]
    ort.preload_dlls()
    cuda = (CUDA, {"use_tf32": "0", "enable_cuda_graph": str(int(cuda_graphs))})
    others = [] if strict else [CPU]
    if provider == CUDA:
        return [cuda, *others]
    profiles = {
        f"trt_profile_{name}_shapes": ",".join(
            f"{tensor.name}:{'x'.join(map(str, (rows, *tensor.shape[1:])))}" for tensor in spec.inputs
        )
        for name, rows in (("min", 1), ("opt", MAX_BATCH), ("max", MAX_BATCH))
    }
    return [(TENSORRT, profiles | {"trt_cuda_graph_enable": str(int(cuda_graphs))}), cuda, *others]


def _inference_session(
    bundle: Bundle, file: str, options: ort.SessionOptions, providers: list[Any]
) -> ort.InferenceSession:
    try:
        return ort.InferenceSession(bundle.files[file], options, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no public base
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{bundle.path / file}: {reason}") from error
