import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from attributes import Attribute
from training.latents.base import (
    Argmax,
    Branched,
    Condition,
    Evidence,
    Guided,
    IndexRegression,
    Label,
    Latent,
    Posterior,
    Sampled,
    Softmax,
    Unsupervised,
    Value,
    gaussian_kl,
    temperature,
)

KIND = Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a")
LEVEL = Attribute(name="level", kind="ordinal", size=3)
TURN = Attribute(name="turn", kind="circular", size=5, period=4)
GLOW = Attribute(name="glow", kind="continuous", range=(2.0, 6.0), default=3.0)


def posterior(mean: Tensor, logvar: Tensor | None = None, scores: Tensor | None = None) -> Posterior:
    nothing = mean[:, :0]
    logvar = torch.full_like(mean, -100.0) if logvar is None else logvar
    return Posterior(mean, logvar, nothing if scores is None else scores, nothing)


def one_hot(*classes: int, size: int) -> Label:
    return Label(torch.eye(size)[list(classes)], torch.ones(len(classes)))


def test_the_gaussian_kl_is_that_of_torch_distributions() -> None:
    mean, logvar = torch.randn(3, 4), torch.randn(3, 4)
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(mean, logvar), expected)


def test_kl_is_summed_over_codes() -> None:
    # KL(N(1, 1) || N(0, 1)) = 1/2
    assert Softmax(TURN).kl(posterior(torch.ones(1, 5), torch.zeros(1, 5)), None).tolist() == [2.5]


@pytest.mark.parametrize(
    "latent",
    [
        Softmax(TURN),
        Sampled(KIND),
        Argmax(LEVEL),
        IndexRegression(LEVEL),
        Value(GLOW),
        Unsupervised(3),
        Guided(KIND, 2, (4,)),
    ],
)
def test_a_sample_without_variance_is_the_point(latent: Latent) -> None:
    q = posterior(torch.randn(6, latent.codes))
    torch.testing.assert_close(latent.sample(q, torch.randn(6, latent.codes), None), latent.point(q))


def test_softmax_counts_an_alias_for_the_class_it_stands_for() -> None:
    latent = Softmax(TURN)
    assert latent.fixed_rows[0][4].tolist() == [1, 0, 0, 0, 0]
    point = latent.point(posterior(torch.tensor([[0.0, -9, -9, -9, 0]])))
    assert point[0, 0] == pytest.approx(1, abs=1e-3)


def test_cross_entropy_is_of_the_means() -> None:
    distance = Softmax(KIND).distance(posterior(torch.tensor([[math.log(3), 0.0]])), torch.zeros(1), torch.eye(2)[:1])
    assert distance.item() == pytest.approx(-math.log(0.75))


def test_a_supervised_value_is_scaled_to_its_range() -> None:
    latent = Value(GLOW)
    q = posterior(torch.tensor([[0.75]]))
    assert latent.weights(q).item() == 5
    assert latent.distance(q, torch.zeros(1), torch.tensor([[4.0]])).item() == pytest.approx(0.0625)  # 4 is 0.5 of 2..6
    rows, offset = latent.fixed_rows
    assert (5 * rows + offset).item() == pytest.approx(0.75)


@pytest.mark.parametrize(("scaled", "expected"), [(False, [0, 1, 2, 3, 0]), (True, [0, 0.25, 0.5, 0.75, 0])])
def test_argmax_places_classes_by_their_index(scaled: bool, expected: list[float]) -> None:
    assert Argmax(TURN, scaled).fixed_rows[0][:, 0].tolist() == expected


def test_argmax_has_no_gradient_but_straight_through() -> None:
    for straight in (False, True):
        latent = Argmax(LEVEL, straight_through=straight)
        mean = torch.tensor([[0.5, 0.2, 0.1]], requires_grad=True)
        z = latent.sample(posterior(mean), torch.zeros(1, 3), None)
        assert z.requires_grad is straight
        assert z.item() == 0


def test_a_number_lies_between_its_neighbours() -> None:
    latent = IndexRegression(LEVEL)
    places = latent.fixed_rows[0][:, 0]
    assert places.mean().item() == pytest.approx(0, abs=1e-6)
    between = (places[1] + places[2]) / 2
    np.testing.assert_allclose(latent.weights(posterior(between.view(1, 1))), [[0, 0.5, 0.5]], atol=1e-6)
    np.testing.assert_allclose(latent.weights(posterior(torch.tensor([[9.0]]))), [[0, 0, 1]])


def test_what_has_no_order_can_not_be_mixed_in_one_number() -> None:
    assert [IndexRegression(a).mixing for a in (KIND, LEVEL, TURN)] == ["nearest", "linear", "nearest"]
    assert Softmax(KIND).mixing == "linear"


def test_centroids_are_the_means_of_their_classes_and_of_all_where_a_class_is_missing() -> None:
    latent = Guided(LEVEL, 2, ())
    mean = torch.tensor([[1.0, 2], [3, 4], [0, 8]])
    latent.measure(posterior(mean), one_hot(0, 0, 2, size=3))
    torch.testing.assert_close(latent.rows[0], torch.tensor([[2.0, 3], [4 / 3, 14 / 3], [0, 8]]))


def test_unlabelled_rows_don_t_move_centroids() -> None:
    latent = Guided(KIND, 1, ())
    label = Label(torch.eye(2)[[0, 0, 1]], torch.tensor([1.0, 0, 1]))
    latent.measure(posterior(torch.tensor([[1.0], [99], [5]])), label)
    assert latent.rows[0].tolist() == [[1], [5]]


@pytest.mark.parametrize("latent", [Softmax(LEVEL), Sampled(LEVEL)], ids=["softmax", "sampled"])
def test_a_measured_temperature_makes_probabilities_of_means_that_are_too_modest_or_too_bold(latent: Latent) -> None:
    """Labels are drawn from a softmax of the means over 2.5: that is the temperature to find."""
    torch.manual_seed(0)
    mean = 4 * torch.randn(20_000, latent.codes)
    classes = torch.multinomial((mean / 2.5).softmax(dim=1), 1).squeeze(1)
    label = Label(F.one_hot(classes, latent.codes).float(), (torch.arange(20_000) % 2).float())
    latent.measure(posterior(mean), label)
    torch.testing.assert_close(latent.weights(posterior(mean)), (mean / 2.5).softmax(dim=1), atol=0.03, rtol=0.1)
    assert temperature(mean, label.target) == pytest.approx(2.5, rel=0.03)
    assert temperature(mean, mean.softmax(dim=1)) == pytest.approx(1, abs=0.01)


def test_a_free_latent_measures_its_range_and_accepts_far_more() -> None:
    latent = Unsupervised(1)
    latent.follows = ("pos_x",)
    latent.measure(posterior(torch.linspace(-2, 4, 1001)[:, None]), None)
    (attribute,) = latent.attributes()
    assert attribute.name == "z0_pos_x"
    assert attribute.bounds == pytest.approx((-1.97, 3.97))
    assert attribute.default == pytest.approx(1)
    assert attribute.extremes[0] < -50 < 50 < attribute.extremes[1]


def test_a_guided_latent_reads_its_sample_when_trained_and_its_mean_when_asked() -> None:
    torch.manual_seed(0)
    latent = Guided(KIND, 2, (3,))
    q, sample = posterior(torch.zeros(1, 2)), torch.tensor([[1.0, -1]])
    expected = -latent.classifier(sample).log_softmax(dim=1)[0, 1]
    torch.testing.assert_close(latent.distance(q, sample, torch.eye(2)[1:])[0], expected)
    torch.testing.assert_close(latent.weights(q), latent.classifier(torch.zeros(1, 2)).softmax(dim=1))


def test_a_branched_latent_reads_features() -> None:
    latent = Branched(KIND, 2, features=7, hidden=(5,))
    scores = latent.logits(torch.randn(4, 7))
    torch.testing.assert_close(latent.weights(posterior(torch.zeros(4, 2), scores=scores)), scores.softmax(dim=1))


def test_a_condition_is_what_was_told() -> None:
    latent = Condition(TURN)
    told = torch.tensor([[0.0, 0.5, 0, 0, 0.5]])
    q = Posterior(torch.zeros(1, 0), torch.zeros(1, 0), torch.zeros(1, 5), told)
    assert latent.weights(q).tolist() == told.tolist()
    assert latent.point(q).tolist() == [[0.5, 0.5, 0, 0, 0]]  # class 4 is 0 again


class TestEvidence:
    """Product of Gaussians: variances 1 and 1/3 give 1/4; means 0 and 4 give (1*0 + 3*4) / 4 = 3."""

    mean = torch.tensor([[0.0], [4], [10]])
    logvar = torch.tensor([[1.0], [1 / 3], [1]]).log()
    label = Label(torch.eye(2)[[0, 0, 1]], torch.ones(3))

    def test_a_group_shares_one_draw_of_its_evidence(self) -> None:
        q = posterior(self.mean, self.logvar)
        z = Evidence(KIND, 1).sample(q, torch.tensor([[2.0], [-7], [0]]), self.label)
        np.testing.assert_allclose(z, [[3 + 2 * 0.5], [3 + 2 * 0.5], [10]], rtol=1e-6)

    def test_kl_counts_once_per_group(self) -> None:
        kl = Evidence(KIND, 1).kl(posterior(self.mean, self.logvar), self.label)
        once = kl_divergence(Normal(3.0, 0.5), Normal(0.0, 1.0))
        assert kl[:2].sum().item() == pytest.approx(once.item(), rel=1e-5)

    def test_an_unlabelled_image_stands_alone(self) -> None:
        label = Label(self.label.target, torch.tensor([1.0, 0, 1]))
        z = Evidence(KIND, 1).sample(posterior(self.mean, self.logvar), torch.zeros(3, 1), label)
        assert z[:, 0].tolist() == [0, 4, 10]

    def test_evidence_of_subgroups_comes_from_the_last_of_a_group_and_stands_for_all(self) -> None:
        """Who is not heard gets no gradient; the last member of each group is always heard."""
        groups = [0, 1, 0, 0, 1, 0]
        mean = torch.arange(6.0)[:, None].requires_grad_()
        z = Evidence(KIND, 1, subgroups=True).sample(
            posterior(mean, torch.zeros(6, 1)), torch.zeros(6, 1), Label(torch.eye(2)[groups], torch.ones(6))
        )
        for group, last in ((0, 5), (1, 4)):
            of_group = [i for i, each in enumerate(groups) if each == group]
            assert len(set(z[of_group, 0].tolist())) == 1
            (gradient,) = torch.autograd.grad(z[last].sum(), mean, retain_graph=True)
            heard = gradient[:, 0].nonzero()[:, 0].tolist()
            assert heard == of_group[-len(heard) :]
            assert last in heard

    def test_subgroups_have_all_sizes_alike_on_a_logarithmic_scale(self) -> None:
        """Of 16 members among 256 images: one in a quarter of the batches, 2 or 3 in a quarter, 4 to 7, 8 and more."""
        generator = torch.Generator().manual_seed(0)
        heard = []
        for _ in range(2000):
            group = torch.ones(256)
            group[torch.randperm(256, generator=generator)[:16]] = 0
            members = (group[:, None] == group).float()
            witnesses = Evidence._witnesses(members, torch.ones(256))
            heard.append(float((witnesses * (group == 0)).sum()))
        counts = np.array(heard)
        for least, most, share in ((1, 1, 0.25), (2, 3, 0.25), (4, 7, 0.25), (8, 16, 0.25)):
            found = ((counts >= least) & (counts <= most)).mean()
            assert found == pytest.approx(share, abs=0.05)  # places in a batch are whole numbers

    def test_gradient_flows_through_the_evidence_unless_it_is_detached(self) -> None:
        for detached in (False, True):
            mean = self.mean.clone().requires_grad_()
            z = Evidence(KIND, 1, detached).sample(posterior(mean, self.logvar), torch.zeros(3, 1), self.label)
            assert z.requires_grad is not detached

    def test_rows_are_the_evidence_and_the_nearest_is_the_class(self) -> None:
        latent = Evidence(KIND, 1)
        latent.measure(posterior(self.mean, self.logvar), self.label)
        np.testing.assert_allclose(latent.rows[0], [[3], [10]], rtol=1e-6)
        assert latent.weights(posterior(torch.tensor([[4.0], [9.0]]))).argmax(dim=1).tolist() == [0, 1]
