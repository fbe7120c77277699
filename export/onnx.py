"""Both halves of a model as ONNX graphs, checked against torch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export.bundle import CONDITION, GraphSpec, TensorSpec, largest_difference
from training.model import VAE, Encoding

OPSET = 20
TOLERANCE = 1e-4
BATCHES = (1, 7, 64)
RANDOM_NODES = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout"}
)
ENCODER_OUTPUTS = Encoding._fields

Arrays = dict[str, NDArray[np.float32]]


class ExportError(ValueError):
    """A graph that must not be shipped: it differs from torch, or it holds a random node."""


class EncoderGraph(nn.Module):
    """image [B, C, H, W], and where the model has conditions their weights and whether these are known -> z, weights,
    mean, logvar.
    """

    def __init__(self, model: VAE) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, image: Tensor, condition: Tensor | None = None, condition_known: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        targets = None
        if condition is not None and condition_known is not None:
            targets = self.model.space.condition_targets(condition, condition_known)
        return tuple(self.model.encode(image, targets))


class DecoderGraph(nn.Module):
    """z [B, D] -> image [B, C, H, W]."""

    def __init__(self, model: VAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor) -> tuple[Tensor]:
        return (self.model.decode(z),)


class Graph:
    """One exported half: its bytes, and torch's and onnxruntime's answers to the same inputs, by name."""

    def __init__(
        self, module: EncoderGraph | DecoderGraph, examples: dict[str, Tensor], outputs: tuple[str, ...]
    ) -> None:
        self.module = module.eval()
        self.attributes = module.model.space.vocabulary()
        self.outputs = outputs
        program = to_onnx(self.module, examples, outputs)
        refuse_random_nodes(program)
        onnx.checker.check_model(program, full_check=True)
        self.content = program.SerializeToString()
        self._session = session(self.content)

    @property
    def spec(self) -> GraphSpec:
        """Names and shapes of inputs and outputs, as onnxruntime sees them."""

        def specs(tensors: Iterable[ort.NodeArg]) -> tuple[TensorSpec, ...]:
            return tuple(TensorSpec(name=each.name, shape=(-1, *each.shape[1:])) for each in tensors)

        return GraphSpec(inputs=specs(self._session.get_inputs()), outputs=specs(self._session.get_outputs()))

    def run(self, inputs: Arrays) -> Arrays:
        """onnxruntime's answer."""
        return dict(zip(self.outputs, self._session.run(list(self.outputs), inputs), strict=True))

    @torch.inference_mode()
    def expected(self, inputs: Arrays) -> Arrays:
        """torch's answer."""
        answers = self.module(**{name: torch.from_numpy(values) for name, values in inputs.items()})
        return {name: answer.numpy() for name, answer in zip(self.outputs, answers, strict=True)}

    def check(self, inputs: Arrays) -> None:
        """Compare both at several batch sizes; raises ExportError where they differ by more than the tolerance."""
        for size in BATCHES:
            batch = {name: np.resize(values, (size, *values.shape[1:])) for name, values in inputs.items()}
            got, expected = self.run(batch), self.expected(batch)
            for name in self.outputs:
                difference = largest_difference(self.attributes, name, got[name], expected[name])
                if not difference <= TOLERANCE:
                    raise ExportError(
                        f"{name} of the exported graph differs from torch by {difference:.2e} at batch {size}; "
                        f"at most {TOLERANCE:.0e} is allowed"
                    )


def to_onnx(module: nn.Module, examples: dict[str, Tensor], outputs: tuple[str, ...]) -> onnx.ModelProto:
    """A module's graph for any batch size; ``examples`` are its inputs by name."""
    batch = torch.export.Dim("batch")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is missing, as it may be
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies' deprecations
        exported = torch.onnx.export(
            module,
            tuple(examples.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(examples),
            output_names=list(outputs),
            dynamic_shapes=tuple({0: batch} for _ in examples),
            verbose=False,
        )
    assert exported is not None
    program: onnx.ModelProto = exported.model_proto
    for node in program.graph.node:  # the exporter notes source files and lines of this machine there
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in (*program.graph.input, *program.graph.output, *program.graph.value_info, *program.graph.initializer):
        value.ClearField("metadata_props")
    program.graph.ClearField("metadata_props")
    program.ClearField("metadata_props")
    return program


def session(
    graph: bytes, level: ort.GraphOptimizationLevel = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
) -> ort.InferenceSession:
    """A graph in onnxruntime, on one thread of the CPU, optimised as far as ``level`` says."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.graph_optimization_level = 1, level
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def refuse_random_nodes(program: onnx.ModelProto) -> None:
    """Raises ExportError that names a random node, wherever in the graph it is."""

    def nodes(of: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
        for node in of:
            yield node
            for attribute in node.attribute:
                for graph in (attribute.g, *attribute.graphs):
                    yield from nodes(graph.node)

    bodies = [program.graph.node, *(function.node for function in program.functions)]
    for body in bodies:
        for node in nodes(body):
            if node.op_type in RANDOM_NODES:
                raise ExportError(f"the graph holds the random node {node.op_type} ({node.name}): never in a bundle")


def encoder_graph(model: VAE) -> Graph:
    """The model's encoder, checked by nothing yet."""
    height, width, channels = model.image
    examples = {"image": torch.rand(2, channels, height, width)}
    if model.space.conditions:
        examples |= {CONDITION[0]: torch.rand(2, model.space.vocabulary().total), CONDITION[1]: torch.ones(2, 1)}
    return Graph(EncoderGraph(model), examples, ENCODER_OUTPUTS)


def decoder_graph(model: VAE) -> Graph:
    """The model's decoder, checked by nothing yet."""
    return Graph(DecoderGraph(model), {"z": torch.rand(2, model.space.length)}, ("image",))
