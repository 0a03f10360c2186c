"""The tasks follow the paper step by step."""

import numpy as np
import pytest

from engine.tasks import FlipFlop, Integration, Task, task_from_name

TASKS = [Integration(1), Integration(3), Integration(2, gamma=0.9), FlipFlop(3), FlipFlop(2, p=0.4)]


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_seed_determines_the_sequences(task: Task) -> None:
    inputs, targets = task.sequences(7, 30, seed=5)
    assert inputs.shape == targets.shape == (7, 30, task.channels)
    assert inputs.dtype == targets.dtype == np.float32
    again = task.sequences(7, 30, seed=5)
    np.testing.assert_array_equal(inputs, again[0])
    np.testing.assert_array_equal(targets, again[1])
    assert not np.array_equal(inputs, task.sequences(7, 30, seed=6)[0])


@pytest.mark.parametrize("gamma", [1.0, 0.9, 0.0])
def test_integration_asks_for_the_sign_of_the_discounted_sum(gamma: float) -> None:
    inputs, targets = Integration(2, gamma).sequences(4, 40, seed=1)
    for sequence, answers in zip(inputs, targets, strict=True):
        for channel in range(2):
            total = 0.0
            for t in range(40):
                total += gamma**t * float(sequence[t, channel])
                assert answers[t, channel] == (total > 0)


def test_integration_has_white_noise_as_input() -> None:
    noise, _ = Integration(1).sequences(200, 500, seed=2)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.01
    assert abs(np.mean(noise[:, 1:] * noise[:, :-1])) < 0.02


def test_flip_flop_asks_for_the_last_pulse() -> None:
    inputs, targets = FlipFlop(3).sequences(6, 60, seed=3)
    assert set(np.unique(inputs)) == {-1, 0, 1}
    for sequence, answers in zip(inputs, targets, strict=True):
        for channel in range(3):
            last = np.nan
            for t in range(60):
                if sequence[t, channel]:
                    last = float(sequence[t, channel] > 0)
                np.testing.assert_equal(answers[t, channel], np.float32(last))


def test_flip_flop_pulses_with_probability_p_and_even_odds() -> None:
    inputs, _ = FlipFlop(3, p=0.1).sequences(300, 300, seed=4)
    assert abs(np.mean(inputs != 0) - 0.1) < 0.003
    assert abs(inputs.mean()) < 0.003


def test_names_identify_tasks() -> None:
    assert task_from_name("integration-3", gamma=0.5) == Integration(3, 0.5)
    assert task_from_name("flip-flop-12", p=0.2) == FlipFlop(12, 0.2)
    assert task_from_name(FlipFlop(4).name) == FlipFlop(4)


@pytest.mark.parametrize("name", ["sentiment", "flip-flop", "flip-flop-x", "integration-0", "-3", ""])
def test_an_unknown_task_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="task"):
        task_from_name(name)


def test_a_probability_is_between_0_and_1() -> None:
    with pytest.raises(ValueError, match="expected p between 0 and 1"):
        FlipFlop(3, p=1.5)
    with pytest.raises(ValueError, match="expected gamma between 0 and 1"):
        Integration(1, gamma=-0.1)
