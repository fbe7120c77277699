import numpy as np

from training.plots.curves import curves


def test_curves_show_every_run_and_every_quantity() -> None:
    def history(factor: float) -> list[dict[str, float]]:
        return [{"images": i, "step": i, "train.loss": factor / (i + 1), "schedule.rate": 1.0} for i in range(5)]

    one, two = curves({"a": history(1)}), curves({"a": history(1), "b": history(9)})
    assert two.shape[0] > one.shape[0], "a line of the legend for each run"
    assert (np.abs(two.astype(int) - [217, 119, 6]).max(axis=2) < 40).any(), "the second run's colour"


def test_panels_of_curves_share_their_axis_of_images() -> None:
    rows = [{"images": float(i), "train.loss": 1.0} for i in range(100)]
    early = [{**row, "train.kl": 2.0} if row["images"] < 50 else row for row in rows]
    picture = curves({"run": early})
    third = picture.shape[1] // 3
    blue = (picture[40:, :, 2].astype(int) - picture[40:, :, 0]) > 80
    ends = [blue[:, i * third : (i + 1) * third].any(axis=0).nonzero()[0].max() for i in range(2)]
    assert ends[1] < 0.7 * ends[0], "half as many images reach half as far"
