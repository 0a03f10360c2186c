"""A card that disappears in the middle of a run: the CPU takes over at the same word, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from engine.device_stepper import FallbackStepper
from engine.live import commands
from engine.live.ring import Ring
from engine.live.run import LiveRun, Settings
from engine.live.snapshot import Event, Snapshot
from engine.network import Network
from engine.recording import Stepper
from engine.text import Review
from tests.explorer.small import TEXT, small_network

CLAMPS = {"f": np.where(np.arange(12) == 3, 0.5, np.nan).astype(np.float32)}
LOST = "CUDA error: device lost\nCompile with TORCH_USE_CUDA_DSA"


class FailingStepper(Stepper):
    """A card that is lost in the block after ``words`` words, or when a clamp is set."""

    def __init__(self, words: int, *, at_clamp: bool = False) -> None:
        self.words, self.at_clamp = words, at_clamp
        super().__init__(small_network())

    def advance(self, ids: Any) -> Any:
        self.words -= len(ids)
        if self.words < 0:
            raise RuntimeError(LOST)
        return super().advance(ids)

    @property
    def clamps(self) -> Mapping[str, Any]:
        return super().clamps

    @clamps.setter
    def clamps(self, clamps: Mapping[str, ArrayLike]) -> None:
        if clamps and self.at_clamp:
            raise RuntimeError(LOST)
        Stepper.clamps.fset(self, clamps)  # type: ignore[attr-defined]


class Screen:
    """The outlet of a run: what a view would see."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def allocate(self, network: Network, widths: Mapping[str, int], capacity: int) -> Ring:
        self.ring = Ring(widths, capacity)
        return self.ring

    def publish(self, snapshot: Snapshot, reviews: Sequence[Review]) -> None:
        self.snapshot = snapshot

    def emit(self, event: Event) -> None:
        self.events.append(event)


def read(on_device: Callable[[Network, str], Any], *given: commands.Command) -> Screen:
    """Read a review to word 100 with these commands before, and end."""
    screen = Screen()
    run = LiveRun(small_network(), Settings(device="cuda"), screen, on_device)
    for command in (commands.Open((Review("long", TEXT),), 0), *given, commands.Seek(100)):
        run.commands.put(command)
    run.commands.put(None)
    run.work()  # carries out the commands, and returns at None
    while count := run._due():
        run._advance(count)
    run._publish()
    return screen


def expected() -> dict[str, Any]:
    stepper = Stepper(small_network())
    stepper.clamps = CLAMPS
    vocabulary = small_network().vocabulary
    assert vocabulary is not None
    return stepper.advance(vocabulary.encode(Review("long", TEXT).words)[:100])


@pytest.mark.parametrize(
    "on_device",
    [lambda *_: FailingStepper(40), lambda *_: FailingStepper(0), lambda *_: FailingStepper(999, at_clamp=True)],
    ids=["while reading", "at the first word", "at a clamp"],
)
def test_the_cpu_takes_over_and_every_word_is_the_same(on_device: Callable[[Network, str], Any]) -> None:
    screen = read(on_device, commands.Clamp(CLAMPS))
    for name, values in expected().items():
        np.testing.assert_allclose(screen.ring.read(name, 0, 100), values, atol=1e-6)
    assert screen.snapshot.device == "cpu"
    assert screen.snapshot.device_problem == "CUDA error: device lost"
    np.testing.assert_array_equal(screen.snapshot.clamps["f"], CLAMPS["f"])
    (event,) = (event for event in screen.events if event.kind == "device")
    assert event.message == "the GPU failed (CUDA error: device lost): the CPU computes now"


def test_a_card_that_works_goes_on() -> None:
    screen = read(lambda *_: FailingStepper(999))
    assert (screen.snapshot.device, screen.snapshot.device_problem) == ("cuda", "")
    assert not [event for event in screen.events if event.kind == "device"]


def test_a_card_that_cannot_be_used_at_all_and_a_wrong_command() -> None:
    def none(*_: object) -> Any:
        raise RuntimeError("no kernel image is available")

    stepper = FallbackStepper(small_network(), "cuda", none)
    assert (stepper.device, stepper.problem) == ("cpu", "no kernel image is available")
    with pytest.raises(ValueError, match="has no signal z"):
        stepper.clamps = {"z": np.zeros(12)}
    assert stepper.block > 0


def test_on_the_cpu_the_kernels_run() -> None:
    stepper = FallbackStepper(small_network(), "cpu")
    assert isinstance(stepper._stepper, Stepper)
    vocabulary = small_network().vocabulary
    assert vocabulary is not None
    stepper.clamps = CLAMPS
    found = stepper.advance(vocabulary.encode(Review("long", TEXT).words)[:100])
    np.testing.assert_array_equal(found["h"], expected()["h"])
