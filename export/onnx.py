"""Both halves of a model as ONNX graphs, and their comparison with torch."""

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

from export.bundle import largest_difference
from export.manifest import CONDITION, GraphSpec, TensorSpec
from training.model import VAE, Encoding

OPSET = 20
TOLERANCE = 1e-4
BATCHES = (1, 7, 64)  # checked batch sizes
RANDOM_NODES = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout"}
)
ENCODER_OUTPUTS = Encoding._fields

Arrays = dict[str, NDArray[np.float32]]


class ExportError(ValueError):
    """A graph that differs from torch, or that holds a random node."""


class EncoderGraph(nn.Module):
    """The encoder: image [B, C, H, W] -> z [B, D], weights [B, sum K], mean [B, L], logvar [B, L].

    A model with conditions also takes their weights [B, sum K], and whether these are known [B, 1].
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
    """The decoder: z [B, D] -> image [B, C, H, W]."""

    def __init__(self, model: VAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor) -> tuple[Tensor]:
        return (self.model.decode(z),)


class ExportedGraph:
    """An encoder or decoder as ONNX graph: its bytes, and outputs of torch and of onnxruntime to compare, by name."""

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
        """Names and shapes of inputs and outputs, as onnxruntime reads them from the graph."""

        def specs(tensors: Iterable[ort.NodeArg]) -> tuple[TensorSpec, ...]:
            return tuple(TensorSpec(name=each.name, shape=(-1, *each.shape[1:])) for each in tensors)

        return GraphSpec(inputs=specs(self._session.get_inputs()), outputs=specs(self._session.get_outputs()))

    def run(self, inputs: Arrays) -> Arrays:
        """Outputs of onnxruntime."""
        return dict(zip(self.outputs, self._session.run(list(self.outputs), inputs), strict=True))

    @torch.inference_mode()
    def expected(self, inputs: Arrays) -> Arrays:
        """Outputs of torch."""
        tensors = self.module(**{name: torch.from_numpy(array) for name, array in inputs.items()})
        return {name: tensor.numpy() for name, tensor in zip(self.outputs, tensors, strict=True)}

    def check(self, inputs: Arrays) -> None:
        """Compare the two at several batch sizes; raises ExportError if they differ by more than ``TOLERANCE``."""
        for size in BATCHES:
            batch = {name: np.resize(array, (size, *array.shape[1:])) for name, array in inputs.items()}
            got, expected = self.run(batch), self.expected(batch)
            for name in self.outputs:
                difference = largest_difference(self.attributes, name, got[name], expected[name])
                if not difference <= TOLERANCE:
                    raise ExportError(
                        f"{name} of the exported graph differs from torch by {difference:.2e} at batch {size}; "
                        f"at most {TOLERANCE:.0e} is allowed"
                    )


def to_onnx(module: nn.Module, examples: dict[str, Tensor], outputs: tuple[str, ...]) -> onnx.ModelProto:
    """A module as ONNX graph for any batch size; ``examples`` are its inputs by name."""
    batch = torch.export.Dim("batch")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns if torchvision is missing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations in the exporter's own dependencies
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
    # The exporter writes source files and line numbers of this machine into these fields.
    for node in program.graph.node:
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
    """An onnxruntime session of a graph on one CPU thread, with graph optimisations up to ``level``."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.graph_optimization_level = 1, level
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def refuse_random_nodes(program: onnx.ModelProto) -> None:
    """Raises ExportError that names the first random node, in subgraphs and functions too."""

    def nested(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
        for node in nodes:
            yield node
            for attribute in node.attribute:
                for graph in (attribute.g, *attribute.graphs):
                    yield from nested(graph.node)

    bodies = [program.graph.node, *(function.node for function in program.functions)]
    for body in bodies:
        for node in nested(body):
            if node.op_type in RANDOM_NODES:
                raise ExportError(f"the graph holds the random node {node.op_type} ({node.name}): never in a bundle")


def encoder_graph(model: VAE) -> ExportedGraph:
    """The model's encoder as ONNX graph, not yet compared with torch."""
    height, width, channels = model.image
    examples = {"image": torch.rand(2, channels, height, width)}
    if model.space.conditions:
        examples |= {CONDITION[0]: torch.rand(2, model.space.vocabulary().total), CONDITION[1]: torch.ones(2, 1)}
    return ExportedGraph(EncoderGraph(model), examples, ENCODER_OUTPUTS)


def decoder_graph(model: VAE) -> ExportedGraph:
    """The model's decoder as ONNX graph, not yet compared with torch."""
    return ExportedGraph(DecoderGraph(model), {"z": torch.rand(2, model.space.length)}, ("image",))
