import copy

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from attributes import Attribute, Attributes
from export.onnx import (
    RANDOM_NODES,
    DecoderGraph,
    EncoderGraph,
    ExportedGraph,
    ExportError,
    decoder_graph,
    encoder_graph,
    refuse_random_nodes,
)
from tests.support import ROOT
from training import presets
from training.model import VAE
from training.runs import Run


@pytest.fixture(scope="module", params=presets.names())
def model(request: pytest.FixtureRequest) -> VAE:
    from training.data.dsprites import ATTRIBUTES

    torch.manual_seed(0)
    return VAE(presets.find(request.param)(), ATTRIBUTES, (30, 45, 3)).eval()


@pytest.fixture(scope="module")
def graphs(model: VAE) -> tuple[ExportedGraph, ExportedGraph]:
    return encoder_graph(model), decoder_graph(model)


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_graphs_agree_with_torch_for_any_batch(
    model: VAE, graphs: tuple[ExportedGraph, ExportedGraph], batch: int
) -> None:
    images = torch.rand(batch, 3, 30, 45)
    labels, inputs = None, {"image": images.numpy()}
    if model.space.conditions:
        weights = torch.rand(batch, model.space.vocabulary().total)
        known = torch.arange(batch)[:, None] % 2.0
        labels = model.space.condition_targets(weights, known)
        inputs |= {"condition": weights.numpy(), "condition_known": known.numpy()}
    encoder, decoder = graphs
    encoded = encoder.run(inputs)
    for name, expected in model.encode(images, labels)._asdict().items():
        np.testing.assert_allclose(encoded[name], expected.detach(), atol=1e-4)
    decoded = decoder.run({"z": encoded["z"]})["image"]
    # An untrained decoder makes logits of up to a thousand of a z of indices, so torch's own rounding counts too.
    z = torch.from_numpy(encoded["z"])
    exact = copy.deepcopy(model).double().decode(z.double()).detach()
    rounding = (model.decode(z).detach() - exact).abs().max().item()
    assert np.abs(decoded - exact.numpy()).max() <= 1e-4 + rounding


def test_a_graph_that_differs_from_torch_is_refused(small_run: Run) -> None:
    graph = decoder_graph(small_run.load())
    with torch.no_grad():
        graph.module.model.decoder.trunk[0].bias += 0.05
    with pytest.raises(ExportError, match=r"image of the exported graph differs from torch by .* at batch 1"):
        graph.check({"z": np.random.default_rng(0).random((4, 113), np.float32)})


class Sampled(EncoderGraph):
    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:  # type: ignore[override]
        z, *rest = super().forward(image)
        return z + torch.randn_like(z), *rest


def test_a_graph_that_samples_is_refused(small_run: Run) -> None:
    with pytest.raises(ExportError, match="random node RandomNormalLike"):
        ExportedGraph(
            Sampled(small_run.load()), {"image": torch.rand(2, 1, 64, 64)}, ("z", "weights", "mean", "logvar")
        )


@pytest.mark.parametrize("operator", sorted(RANDOM_NODES))
def test_random_nodes_are_found_inside_branches_too(operator: str) -> None:
    inner = helper.make_graph([helper.make_node(operator, ["x"], ["y"], name="dice")], "inner", [], [])
    branch = helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)
    graph = helper.make_graph([branch], "outer", [helper.make_tensor_value_info("c", TensorProto.BOOL, [])], [])
    with pytest.raises(ExportError, match=rf"random node {operator} \(dice\)"):
        refuse_random_nodes(helper.make_model(graph))


def test_graphs_name_no_file_of_the_machine_that_made_them(small_run: Run) -> None:
    for graph in (encoder_graph(small_run.load()), decoder_graph(small_run.load())):
        program = onnx.load_from_string(graph.content)
        del program.graph.initializer[:]  # bytes of weights may spell anything
        for trace in (str(ROOT), "site-packages", ".py", "forward"):
            assert trace.encode() not in program.SerializeToString()


def test_the_decoder_alone_needs_no_encoder(small_run: Run) -> None:
    module = DecoderGraph(small_run.load())
    assert module(torch.zeros(3, 113))[0].shape == (3, 1, 64, 64)


def test_values_in_the_thousands_are_compared_as_shares_of_their_range() -> None:
    torch.manual_seed(0)
    attributes = Attributes([Attribute(name="price", kind="continuous", range=(0.0, 1e6), default=5e5)])
    model = VAE(presets.find("softmax")(), attributes, (32, 32, 1)).eval()
    encoder_graph(model).check({"image": np.random.default_rng(0).random((8, 1, 32, 32), np.float32)})
