"""Run a network word by word on its own device; the CPU takes over where that device fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from engine.network import Network
from engine.recording import Clampable, Stepper, checked_clamps, clamps_on_device, gpu_reader

Float32s = NDArray[np.float32]
OnDevice = Callable[[Network, str], Any]

BLOCK: Final = 512  # words of one launch at full speed: a launch and its copy cost as much as tens of words
CPU_BLOCKS: Final = 64, 512  # fewest and most words at once on the CPU at full speed
CPU_STEPS: Final = 1 << 14  # of cells, which take a few milliseconds


def cpu_block(network: Network) -> int:
    """Return how many words the CPU reads at once at full speed; a command waits for one block."""
    fewest, most = CPU_BLOCKS
    return min(most, max(fewest, CPU_STEPS // network.cell.size))


class DeviceStepper(Clampable):
    """`engine.recording.Stepper` on the network's own device.

    A block of words is one launch, or plain PyTorch steps where the kernels cannot run. The state is a copy on the
    host, so that nothing is lost with the device.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._names = [signal.name for signal in network.cell.signals]
        embedding = network.embedding
        self._vectors: Float32s | None = None if embedding is None else embedding.detach().float().cpu().numpy()
        self._reader = None if embedding is None else gpu_reader(network, {})
        self._initial: Float32s = network.cell.initial_state().float().cpu().numpy()
        self.clamps = {}
        self.reset()

    def _use_clamps(self, clamps: dict[str, Float32s]) -> None:
        self._on_device = clamps_on_device(self.network, clamps)
        self._in_kernel = self._reader is not None and self._reader.use(clamps)

    def reset(self) -> None:
        """Return to the initial state; clamps stay."""
        self._state: Float32s = self._initial.copy()

    @property
    def state(self) -> Float32s:
        """A copy of the current state, (S,); set it from an array of that shape."""
        return self._state.copy()

    @state.setter
    def state(self, values: ArrayLike) -> None:
        self._state = np.array(values, dtype=np.float32)

    def advance(self, ids: NDArray[np.integer] | Sequence[int] | Float32s) -> dict[str, Float32s]:
        """Read words (time,) or vectors (time, inputs) and return every signal, ``x`` too, as (time, cell)."""
        words = np.asarray(ids)
        with torch.inference_mode():
            if self._in_kernel and len(words):
                signals = self._launch(words)
            else:
                start = torch.as_tensor(self._state).to(self.network.cell.weight_ih)
                x = self.network.embed(words)
                _, found = self.network.cell.run(x, start, self._on_device)
                signals = {name: value.float().cpu().numpy() for name, value in {**found, "x": x}.items()}
        if len(words):
            self._state = np.concatenate([signals[part][-1] for part in self.network.cell.state_parts])
        return signals

    def _launch(self, words: NDArray[np.integer]) -> dict[str, Float32s]:
        assert self._reader is not None
        assert self._vectors is not None
        if not 0 <= words.min() <= words.max() < len(self._vectors):
            limits = f"ids from {words.min()} to {words.max()}"
            raise ValueError(f"{limits}; {self.network.name} knows 0 to {len(self._vectors) - 1}")
        state = torch.as_tensor(self._state[None], device=self.network.cell.device)
        tokens, lengths = words.astype(np.int32)[None], np.array([len(words)])
        found = self._reader.run(tokens, lengths, record=self._names, state=state).record
        assert found is not None
        signals = found[:, 0].cpu().numpy()  # one copy of all
        return {**dict(zip(self._names, signals, strict=True)), "x": self._vectors[words]}


def on_its_device(network: Network, device: str) -> Stepper | DeviceStepper:
    """Return the fastest stepper of a network on a device."""
    return Stepper(network) if device == "cpu" else DeviceStepper(network.to(device=device))


class FallbackStepper:
    """A stepper on a device, and after an error of that device one on the CPU, from the same word.

    Parameters
    ----------
    network : Network
        On the CPU.
    device : str
    on_device : callable
        Makes the stepper of a network on a device.

    Attributes
    ----------
    device : str
        Where it computes now.
    problem : str
        Why the CPU took over; "" before that.
    """

    def __init__(self, network: Network, device: str, on_device: OnDevice = on_its_device) -> None:
        self.network = network
        self.device, self.problem = device, ""
        self._stepper: Any = None
        try:
            self._stepper = on_device(network, device)
        except Exception as error:
            self._fall_back(error, {}, None)

    @property
    def block(self) -> int:
        """Number of words to read at once at full speed."""
        return BLOCK if self.device != "cpu" else cpu_block(self.network)

    @property
    def clamps(self) -> Mapping[str, Float32s]:
        """The clamps, signal → (n,) values, NaN for a free cell; setting them replaces all."""
        clamps: Mapping[str, Float32s] = self._stepper.clamps
        return clamps

    @clamps.setter
    def clamps(self, clamps: Mapping[str, ArrayLike]) -> None:
        checked = checked_clamps(self.network, clamps)
        try:
            self._stepper.clamps = checked
        except Exception as error:
            self._fall_back(error, checked, self._stepper.state)

    def reset(self) -> None:
        """Return to the initial state; clamps stay."""
        self._stepper.reset()

    @property
    def state(self) -> Float32s:
        """A copy of the current state, (S,); set it from an array of that shape."""
        state: Float32s = self._stepper.state
        return state

    @state.setter
    def state(self, values: ArrayLike) -> None:
        self._stepper.state = values

    def advance(self, ids: NDArray[np.integer] | Sequence[int] | Float32s) -> dict[str, Float32s]:
        """Read words (time,) or vectors (time, inputs) and return every signal, ``x`` too, as (time, cell)."""
        try:
            signals: dict[str, Float32s] = self._stepper.advance(ids)
        except ValueError:
            raise
        except Exception as error:
            self._fall_back(error, self._stepper.clamps, self._stepper.state)
            signals = self._stepper.advance(ids)
        return signals

    def _fall_back(self, error: Exception, clamps: Mapping[str, ArrayLike], state: Float32s | None) -> None:
        """Continue on the CPU; an error there is raised."""
        if self.device == "cpu":
            raise error
        stepper = Stepper(self.network)
        stepper.clamps = clamps
        if state is not None:
            stepper.state = state
        self.problem = str(error).strip().split("\n")[0] or repr(error)
        self._stepper, self.device = stepper, "cpu"
