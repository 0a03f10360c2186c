"""Sequences of real-valued input: files, a task's own, and what each network can read."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.cells import RnnCell
from engine.network import Network, Vocabulary
from engine.sequences import DRAWN, STEPS, as_read, drawn_sequence, edited, encoded, open_sequences
from engine.tasks import FlipFlop
from engine.text import Review, ReviewError


def network(inputs: int = 3, task: str = "unknown") -> Network:
    cell = RnnCell(torch.zeros(4, inputs), torch.zeros(4, 4), torch.zeros(4))
    return Network(cell, torch.zeros(inputs, 4), torch.zeros(inputs), name="watcher", task=task)


def test_a_task_draws_its_own_sequences() -> None:
    sequences = open_sequences(network(task="flip-flop-3"))
    inputs, targets = FlipFlop(3).sequences(1, STEPS, 7)
    assert len(sequences) == DRAWN
    assert sequences[6].name == "flip-flop-3, seed 7"
    np.testing.assert_array_equal(sequences[6].inputs, inputs[0])
    np.testing.assert_array_equal(sequences[6].targets, targets[0])
    assert len(sequences[6].words) == STEPS


def test_a_network_without_a_task_asks_for_a_file() -> None:
    with pytest.raises(ReviewError, match=r"watcher takes 3 channels and names no task .* --reviews signal.csv"):
        open_sequences(network())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
@pytest.mark.parametrize("header", [True, False])
def test_csv(tmp_path: Path, delimiter: str, header: bool) -> None:
    rows = [["a", "b", "c"]] * header + [["1", "2.5", "-3e-1"], ["0", "0", "1"]]
    (tmp_path / "signal.csv").write_text("\n".join(delimiter.join(row) for row in rows) + "\n")
    (sequence,) = open_sequences(network(), tmp_path / "signal.csv")
    np.testing.assert_array_equal(sequence.inputs, np.array([[1, 2.5, -0.3], [0, 0, 1]], dtype=np.float32))
    assert sequence.channels == (("a", "b", "c") if header else ("channel 1", "channel 2", "channel 3"))
    assert sequence.targets is None


def test_npy_of_one_or_several_sequences(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2, 5, 3))
    np.save(tmp_path / "trials.npy", values)
    np.save(tmp_path / "one.npy", values[0])
    np.save(tmp_path / "channel.npy", values[0, :, 0])
    first, second = open_sequences(network(), tmp_path / "trials.npy")
    np.testing.assert_array_equal(second.inputs, values[1].astype(np.float32))
    assert (first.name, second.name) == ("trials, sequence 1", "trials, sequence 2")
    assert open_sequences(network(), tmp_path / "one.npy")[0].name == "one"
    assert open_sequences(network(inputs=1), tmp_path / "channel.npy")[0].inputs.shape == (5, 1)


def test_targets_of_a_signal(tmp_path: Path) -> None:
    (tmp_path / "signal.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    (tmp_path / "goals.csv").write_text("x,y,z\nnan,1,1\n0,0.5,1\n")
    made = network()
    (sequence,) = open_sequences(made, tmp_path / "signal.csv", tmp_path / "goals.csv")
    np.testing.assert_array_equal(sequence.targets, np.array([[np.nan, 1, 1], [0, 0.5, 1]], dtype=np.float32))
    (tmp_path / "short.csv").write_text("1,2,3\n")
    with pytest.raises(ReviewError, match=r"targets of shape \(1, 3\); expected \(steps, outputs\) \(2, 3\)"):
        open_sequences(made, tmp_path / "signal.csv", tmp_path / "short.csv")
    with pytest.raises(ReviewError, match="belongs to a signal"):
        open_sequences(made, None, tmp_path / "goals.csv")


def test_the_names_of_channels_are_one_printable_line(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text('"left\n\x1b[2J ear",right\n0,1\n1,0\n', encoding="utf-8")
    assert open_sequences(network(inputs=2), tmp_path / "s.csv")[0].channels == ("left [2J ear", "right")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", r"has 2 channels \(a, b\); watcher takes 3 channels, one column each"),
        ("a,b,c\n1,2\n", "line 2: 2 values, expected 3"),
        ("a,b,c\n1,2,x\n", "line 2, c: 'x' is not a finite number"),
        ("a,b,c\n1,2,nan\n", "line 2, c: 'nan' is not a finite number"),
        ("a,b,c\n1,2,1e39\n", "step 1, c: 1e[+]39 is not finite in single precision"),
        ("a,b,c\n", "has a header and no row"),
        ("", "is empty"),
    ],
)
def test_a_csv_file_that_is_no_signal(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "signal.csv").write_text(text)
    with pytest.raises(ReviewError, match=says):
        open_sequences(network(), tmp_path / "signal.csv")


def test_an_npy_file_that_is_no_signal(tmp_path: Path) -> None:
    path = tmp_path / "signal.npy"
    np.save(path, np.array([{"no": "pickle"}], dtype=object))  # as a pickle
    with pytest.raises(ReviewError, match="is no .npy file of numbers"):
        open_sequences(network(), path)
    np.save(path, np.zeros((2, 2, 2, 3)))
    with pytest.raises(ReviewError, match=r"shape \(2, 2, 2, 3\)"):
        open_sequences(network(), path)
    np.save(path, np.array(["one", "two"]))
    with pytest.raises(ReviewError, match="expected an array of real numbers"):
        open_sequences(network(), path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ReviewError, match="is no .npy file of numbers"):
        open_sequences(network(), path)
    with pytest.raises(ReviewError, match="cannot read .*: No such file"):
        open_sequences(network(), tmp_path / "missing.npy")
    with pytest.raises(ReviewError, match="watcher takes numbers, not reviews: expected a .csv or .npy file"):
        open_sequences(network(), "reviews.txt")


def test_a_network_reads_only_its_kind_of_input() -> None:
    (sequence, *_), words = open_sequences(network(task="flip-flop-3")), Vocabulary(["film"])
    reader = Network(network().cell, torch.zeros(1, 4), torch.zeros(1), embedding=torch.zeros(3, 3), vocabulary=words)
    np.testing.assert_array_equal(encoded(network(), sequence), sequence.inputs)
    np.testing.assert_array_equal(encoded(reader, Review("r", "a film")), [1, 2])
    with pytest.raises(ValueError, match="reads words, and 'flip-flop-3, seed 1' is a sequence of vectors"):
        encoded(reader, sequence)
    with pytest.raises(ValueError, match="watcher takes numbers, not reviews"):
        encoded(network(), Review("r", "a film"))
    with pytest.raises(ValueError, match="has 3 channels; watcher takes 2 channels"):
        encoded(network(inputs=2), sequence)


def test_an_edited_step_has_the_targets_of_its_task() -> None:
    before, task = drawn_sequence(network(task="flip-flop-3"), 1), FlipFlop(3)
    after = edited(before, "1: 1, 0 −1\n  3: 0 0 0.5\n", task)
    expected = before.inputs.copy()
    expected[0], expected[2] = (1, 0, -1), (0, 0, 0.5)
    np.testing.assert_array_equal(after.inputs, expected)
    np.testing.assert_array_equal(after.targets, task.targets(expected[None])[0])
    assert after.targets is not None
    assert after.targets[0].tolist() == pytest.approx([1, np.nan, 0], nan_ok=True)
    assert edited(after, "", None).targets is None
    assert edited(after, "", task).name == "flip-flop-3, seed 1, edited"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1: 0 0", "'1: 0 0': expected a step and 3 numbers, such as 57: 0 0 0"),
        ("1: 0 0 x", "expected a step and 3 numbers"),
        ("0 0 0", "expected a step and 3 numbers"),
        ("201: 0 0 0", "there is no step 201: this sequence has steps 1 to 200"),
    ],
)
def test_an_edit_that_is_no_step(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        edited(drawn_sequence(network(task="flip-flop-3"), 1), text, None)


def test_a_network_of_characters_reads_the_characters_of_a_text() -> None:
    words, text = Vocabulary(list("Ab ,")), Review("one", "Ab, \x1b", True)
    embedding = torch.zeros(len(words), 3)
    reader, other = (
        Network(network().cell, torch.zeros(1, 4), torch.zeros(1), embedding=embedding, vocabulary=words, info=info)
        for info in ({"unit": "character"}, {})
    )
    (read,), same = as_read(reader, [text]), as_read(other, [text])
    assert (read.name, read.label, same) == ("one", True, [text])
    assert read.words == tuple(reader.split(text.text)) == ("A", "b", ",", " ", "\x1b")
    assert read.surface == ("A", "b", ",", "␣", "�")
    np.testing.assert_array_equal(encoded(reader, read), [2, 3, 5, 4, 1])
    with pytest.raises(ValueError, match="reads characters, and 'one' was opened word by word: start pinkx anew"):
        encoded(reader, text)
    with pytest.raises(ValueError, match="reads words, and 'one' was opened character by character"):
        encoded(other, read)
