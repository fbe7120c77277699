import numpy as np

from training.plots.figures import DPI, new_figure, rasterize, show_picture, style_axes


def test_a_figure_has_its_size_in_inches() -> None:
    assert rasterize(new_figure(2, 1)).shape == (DPI, 2 * DPI, 3)


def test_a_picture_is_shown_as_it_is_without_ticks() -> None:
    figure = new_figure(2, 2)
    axes = figure.subplots()
    show_picture(axes, np.full((4, 4, 3), (200, 30, 90), np.uint8))
    rendered = rasterize(figure)
    assert (rendered[DPI, DPI] == (200, 30, 90)).all()
    colours = np.unique(rendered.reshape(-1, 3), axis=0)
    assert (np.ptp(colours, axis=1) == 0).sum() == 1, "no grey of ticks and axes but the white around it"


def test_styled_axes_have_no_box() -> None:
    axes = new_figure(2, 2).subplots()
    style_axes(axes)
    assert [side for side in ("left", "right", "top", "bottom") if axes.spines[side].get_visible()] == [
        "left",
        "bottom",
    ]
