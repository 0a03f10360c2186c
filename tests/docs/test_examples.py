"""The examples and the snippets of docs/api.md run, and their numbers are those of PyTorch's own modules."""

from __future__ import annotations

import csv
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import image, pyplot

import engine
from engine.kernels.reference import fluctuations_reference

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(autouse=True)
def no_window(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run an example as a script; what its module defines."""
    script = DOCS / "examples" / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(script), str(folder)])
    return runpy.run_path(str(script), run_name="__main__")


def assert_drawn(path: Path) -> None:
    pixels = image.imread(path)[..., :3]
    assert min(pixels.shape[:2]) > 300
    assert (pixels < 0.9).any(axis=-1).mean() > 0.005


def test_exponents_of_your_lstm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = run("exponents_of_your_lstm", tmp_path / "out", monkeypatch)
    with (tmp_path / "out" / "exponents.csv").open() as file:
        rows = {row["signal"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["i", "f", "g", "o", "c", "c_out", "h", "x"]
    inputs = torch.from_numpy(example["your_inputs"]())
    hidden, _ = example["your_lstm"]()(inputs.transpose(0, 1))
    scales = np.array(engine.default_scales(500))
    for name, series in {"h": hidden.detach().transpose(0, 1), "x": inputs}.items():
        F = fluctuations_reference(series.double().sum(-1).numpy(), scales, 1, True)
        beta = 2 * np.polyfit(np.log(scales), np.log(F).T, 1)[0] - 1
        assert float(rows[name]["beta_mean"]) == pytest.approx(beta.mean(), abs=2e-3)
        assert float(rows[name]["beta_sd"]) == pytest.approx(beta.std(ddof=1), abs=2e-3)
        assert f"{beta.mean():.2f}".replace("-", "−") in capsys.readouterr().out or name == "x"
    assert_drawn(tmp_path / "out" / "fluctuations.png")


def test_fixed_points_of_your_gru(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = run("fixed_points_of_your_gru", tmp_path, monkeypatch)
    points = engine.FixedPoints.load(tmp_path / "fixed_points.npz")
    points = points[points.fixed]
    assert sorted(points.unstable.tolist()) == [0, 0, 1]  # a saddle between two stable points
    gru = example["your_gru"]().double()

    def after(states: torch.Tensor, steps: int) -> torch.Tensor:
        zero = torch.zeros(steps, len(states), 2, dtype=torch.float64)
        with torch.no_grad():
            return gru(zero, states[None])[1][0]

    states = torch.from_numpy(points.states)
    torch.testing.assert_close(after(states, 1), states, rtol=0, atol=1e-9)
    nudged = states + 1e-3 * torch.from_numpy(points.right[:, :, 0].real)
    distance = (after(nudged, 1000) - states).norm(dim=-1).numpy()
    assert (distance[points.unstable == 0] < 1e-5).all()
    assert (distance[points.unstable == 1] > 0.1).all()
    assert_drawn(tmp_path / "fixed_points.png")


def test_record_a_review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run("record_a_review", tmp_path, monkeypatch)
    said = capsys.readouterr().out
    network, review = engine.Network.load("lstm-8"), engine.open_reviews()[0]
    assert network.vocabulary is not None
    x = network.embed(network.vocabulary.encode(review.words))
    hidden, _ = network.cell.to_torch()(x)
    probability = torch.sigmoid(hidden @ network.readout_weight[0] + network.readout_bias[0]).detach().numpy()
    assert f"{review.name}: P(positive) {probability[-1]:.3f} after {len(review.words)} words, label True" in said
    largest = sorted(np.abs(np.diff(probability)).argsort()[-5:] + 1)
    shown = re.findall(r"word +(\d+) +(\S+) +([\d.]+) → ([\d.]+)", said)
    assert shown == [
        (str(t + 1), review.words[t], f"{probability[t - 1]:.2f}", f"{probability[t]:.2f}") for t in largest
    ]
    assert_drawn(tmp_path / "review.png")


def test_the_snippets_of_the_api_page_run_in_order() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    for snippet in snippets:
        exec(compile(snippet, "docs/api.md", "exec"), names)
    assert len(snippets) > 5
    assert names["recording"]["f"].shape[2] == 8
    assert not names["zeroed"]["h"][0, :10, 3].any()
    assert (names["stable"].unstable == 0).all()
    assert len(names["stable"]) >= 8


def test_the_api_page_names_only_what_is_exported() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bengine\.(\w+)", text)) <= set(engine.__all__)
    missing = {name for name in engine.__all__ if not re.search(rf"\b{name}\b", text)}
    assert missing <= {
        "__version__",
        "Cell",
        "Exponents",
        "Null",
        "Recording",
        "Review",
        "ReviewError",
        "SpectralExponents",
        "Vocabulary",
    }
