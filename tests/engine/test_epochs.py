"""The networks of the epochs of a run: found by their names, and measured as a plain loop measures them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.catalogue import NetworkError
from engine.epochs import INPUTS, epoch_file, epoch_files, epoch_points, measure_epoch
from engine.network import Network
from engine.points_cache import network_points
from tests.engine.test_attribution import network as small

WORDS = [["a", "b", "c", "a"], ["d", "d"], ["zzz", "a", "b"]]
LABELS = [True, False, True]


def test_files_of_one_run_are_found_from_any_of_them(tmp_path: Path) -> None:
    out = tmp_path / "lstm-8-s0.safetensors"
    for epoch in (0, 2, 1, 10):
        epoch_file(out, epoch).touch()
    for other in ("lstm-8-s01-e00", "lstm-8-s0", "lstm-8-s0-e", "other-e01"):
        (tmp_path / f"{other}.safetensors").touch()
    expected = {k: tmp_path / f"lstm-8-s0-e{k:02}.safetensors" for k in (0, 1, 2, 10)}
    assert epoch_files(out) == expected
    assert epoch_files(expected[2]) == expected
    assert list(epoch_files(out)) == [0, 1, 2, 10]
    assert epoch_files(tmp_path / "gru.safetensors") == {}


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_loss_accuracy_and_activity_by_a_plain_loop(kind: str, tmp_path: Path) -> None:
    net, path = small(kind), tmp_path / "net-e03.safetensors"
    net.info["measured"] = json.dumps({"validation_loss": 0.25})
    net.save(path)
    found = measure_epoch(3, path, WORDS, LABELS)
    losses, right, deviations = [], [], []
    assert net.vocabulary is not None
    for words, label in zip(WORDS, LABELS, strict=True):
        _, signals = net.cell.run(net.embed(net.vocabulary.encode(words)))
        h = signals["h"].numpy().astype(float)
        logit = float(net.readout(signals["h"][-1])[0])
        p = 1 / (1 + np.exp(-logit))
        losses.append(-np.log(p if label else 1 - p))
        right.append((p >= 0.5) == label)
        deviations.append(h.std(axis=0))
    assert found.loss == pytest.approx(np.mean(losses), abs=1e-6)
    assert found.accuracy == pytest.approx(np.mean(right))
    assert found.activity == pytest.approx(np.mean(deviations, axis=0), abs=1e-6)
    assert (found.number, found.validation_loss) == (3, 0.25)
    assert found.visited.shape == (9, 5)


def test_points_are_those_of_the_search(tmp_path: Path) -> None:
    net, path = small("rnn"), tmp_path / "net-e00.safetensors"
    net.save(path)
    reviews = [np.array([2, 3, 4], dtype=np.int32)]
    found = epoch_points(path, lambda _: reviews)
    expected = network_points(net, INPUTS, count=128, reviews=reviews)
    assert np.allclose(found.h, expected.states)
    assert found.inputs == tuple(expected.input_names.tolist())
    for h, name, logit, stable in zip(found.h, found.inputs, found.logit, found.stable, strict=True):
        x = torch.zeros(3) if name == "zero" else net.embed(np.arange(2, 6)).mean(0)
        state = torch.from_numpy(h).float()
        assert torch.allclose(net.cell.step(x, state)[0], state, atol=1e-5)
        assert logit == pytest.approx(float(net.readout(state)[0]), abs=1e-5)
        jacobian = net.cell.jacobian(x, state).numpy()
        assert stable == (np.abs(np.linalg.eigvals(jacobian)).max() < 1)


def test_other_networks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net-e00.safetensors"
    small("rnn", outputs=2).save(path)
    with pytest.raises(NetworkError, match="one output"):
        measure_epoch(0, path, WORDS, LABELS)
    assert Network.load(path).outputs == 2
