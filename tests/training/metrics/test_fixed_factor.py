import numpy as np

from training.metrics.fixed_factor import FixedFactorSampler


def test_rows_share_the_class_of_the_factor_that_is_drawn() -> None:
    factors = np.random.default_rng(0).integers(0, [3, 5, 2], (500, 3))
    sample = FixedFactorSampler(factors, seed=1)
    drawn = [sample(20) for _ in range(100)]
    assert all(len(rows) == 20 and len(np.unique(factors[rows, factor])) == 1 for factor, rows in drawn)
    assert {factor for factor, _ in drawn} == {0, 1, 2}
    factor, rows = drawn[0]
    assert all(len(np.unique(factors[rows, other])) > 1 for other in range(3) if other != factor)


def test_the_same_seed_draws_the_same_rows() -> None:
    factors = np.random.default_rng(0).integers(0, 4, (100, 2))
    first, second = (FixedFactorSampler(factors, seed=3)(16) for _ in range(2))
    assert first[0] == second[0]
    assert (first[1] == second[1]).all()
