"""The interface of a recurrent layer: weights, settings, named signals, a step and its Jacobian.

Conventions
-----------
Weights are in PyTorch's layout: ``weight_ih`` is (gates·n, inputs), ``weight_hh`` (gates·n, n), biases (gates·n,); gate
order LSTM ``i f g o``, GRU ``r z n``.  A class `Cell` is a *layer* of n *units*, which texts on screen call cells.  A
*state* is one tensor (..., S) of all parts: ``h`` for an RNN or a GRU (S = n), ``[h, c]`` for an LSTM (S = 2n), so that
a layer is one map s ↦ F(s, x).  Every function is batched over the leading axes and keeps dtype and device.

A *setting* is what distinguishes layers of one class: the nonlinearity of its candidate, the leak of an RNN, the place
of a GRU's reset.  Every analysis reads the settings from the layer, so that a new combination needs no code of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from engine.nonlinearities import DESCRIPTIONS, NONLINEARITIES, Nonlinearity, nonlinearity

Kind = Literal["internal", "external", "input"]
Setting = str | float | bool
Clamps = Mapping[str, Tensor]
"""Signal → (n,) values that replace it, NaN for a free unit."""

NO_CLAMPS: Final[Clamps] = {}


@dataclass(frozen=True)
class Signal:
    """One named quantity of every unit at every step.

    ``kind`` is the split of Chong & Ling (2024): *internal* activations regulate, *external* ones carry the output.
    ``low`` and ``high`` are the bounds of its values, ±inf where there is none.
    """

    name: str
    kind: Kind
    low: float
    high: float
    meaning: str

    def within(self, *functions: Nonlinearity | float) -> Signal:
        """Return the same signal with the smallest bounds that hold the values of functions, and numbers."""
        ends = [(one.low, one.high) if isinstance(one, Nonlinearity) else (one, one) for one in functions]
        return replace(self, low=min(low for low, _ in ends), high=max(high for _, high in ends))


INPUT = Signal("x", "input", -float("inf"), float("inf"), "input after embedding")


class Cell(ABC):
    """A layer of n recurrent units with fixed weights.

    Parameters
    ----------
    weight_ih : (gates·n, inputs) array
    weight_hh : (gates·n, n) array
        None for a layer whose gates do not read the state.
    bias : (gates·n,) array
        The sum of PyTorch's two biases, or its input bias if ``bias_hh`` is given.
    bias_hh : (gates·n,) array, optional
        PyTorch's hidden bias.  Only the GRU's candidate needs it separately, because r multiplies it.
    initial : (S,) array, optional
        State before the first step; zero by default.
    **settings
        See ``defaults`` of the class.

    Raises
    ------
    ValueError
        If the shapes do not match, or a setting or its value is unknown.
    """

    name: ClassVar[str]
    gates: ClassVar[int]
    state_parts: ClassVar[tuple[str, ...]] = ("h",)
    defaults: ClassVar[Mapping[str, Setting]] = {}
    signals: tuple[Signal, ...]

    def __init__(
        self,
        weight_ih: ArrayLike,
        weight_hh: ArrayLike | None,
        bias: ArrayLike,
        bias_hh: ArrayLike | None = None,
        initial: ArrayLike | None = None,
        **settings: Setting,
    ) -> None:
        self.settings: dict[str, Setting] = _checked_settings(self, settings)
        self.weight_ih = as_tensor(weight_ih)
        self.bias = as_tensor(bias, self.weight_ih)
        n = self.bias.shape[0] // self.gates if weight_hh is None else -1
        self.weight_hh = (
            self.weight_ih.new_zeros(1, 1).expand(self.gates * n, n)  # no memory, and no gate reads the state
            if weight_hh is None
            else as_tensor(weight_hh, self.weight_ih)
        )
        hidden = torch.zeros_like(self.bias) if bias_hh is None else as_tensor(bias_hh, self.weight_ih)
        if self.weight_ih.ndim != 2 or self.weight_hh.ndim != 2:
            raise ValueError(
                f"{self.name}: expected matrices as weights, got shapes "
                f"{tuple(self.weight_ih.shape)} and {tuple(self.weight_hh.shape)}"
            )
        n = self.weight_hh.shape[1]
        expected: dict[str, tuple[int, ...]] = {
            "weight_ih": (self.gates * n, self.inputs),
            "weight_hh": (self.gates * n, n),
        }
        expected |= {"bias": (self.gates * n,), "bias_hh": (self.gates * n,)}
        got = {"weight_ih": self.weight_ih, "weight_hh": self.weight_hh, "bias": self.bias, "bias_hh": hidden}
        for key, shape in expected.items():
            if tuple(got[key].shape) != shape:
                raise ValueError(
                    f"{self.name} of {n} cells: expected {key} of shape {shape}, got {tuple(got[key].shape)} "
                    "(PyTorch's layout: gates stacked along the first axis)"
                )
        self._join_biases(hidden)
        self.initial = None if initial is None else as_tensor(initial, self.weight_ih)
        if self.initial is not None and tuple(self.initial.shape) != (self.state_size,):
            raise ValueError(
                f"{self.name} of {n} cells: expected an initial state of shape ({self.state_size},), "
                f"got {tuple(self.initial.shape)}"
            )
        self._configure()

    @abstractmethod
    def _configure(self) -> None:
        """Read the settings, and adapt the bounds of the signals to them."""

    def _join_biases(self, hidden: Tensor) -> None:
        self.bias = self.bias + hidden

    # ---- settings --------------------------------------------------------------------------------------------

    def setting(self, key: str) -> Setting:
        """Return the value of a setting."""
        return self.settings.get(key, self.defaults[key])

    def function(self, key: str) -> Nonlinearity:
        """Return the nonlinearity that a setting names."""
        return nonlinearity(self.setting(key))

    @property
    def label(self) -> str:
        """Name of the layer's type with the settings that differ from the default, such as ``RNN (relu)``."""
        named = [
            DESCRIPTIONS.get(str(value), str(value))
            if isinstance(value, str)
            else key.replace("_", " ")
            if value is True
            else f"{key} {value:g}"
            for key, value in self.settings.items()
        ]
        different = list(dict.fromkeys(named)) + ["initial state"] * (self.initial is not None)
        return self.title + (f" ({', '.join(different)})" if different else "")

    @property
    def title(self) -> str:
        """Name of the layer's type, as it is shown."""
        return self.name.upper()

    @property
    def bounded(self) -> bool:
        """Whether every h lies between bounds that do not depend on the weights."""
        (h,) = (signal for signal in self.signals if signal.name == "h")
        return abs(h.low) < float("inf") and abs(h.high) < float("inf")

    # ---- properties ------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """n, the number of units."""
        return self.weight_hh.shape[1]

    @property
    def inputs(self) -> int:
        """Length of an input vector x."""
        return self.weight_ih.shape[1]

    @property
    def state_size(self) -> int:
        """S, the length of a state: n, or 2n for an LSTM."""
        return len(self.state_parts) * self.size

    @property
    def dtype(self) -> torch.dtype:
        return self.weight_ih.dtype

    @property
    def device(self) -> torch.device:
        return self.weight_ih.device

    def weights(self) -> dict[str, Tensor]:
        """Return the tensors that define this cell, by the names of the constructor's parameters."""
        named = {"weight_ih": self.weight_ih, "weight_hh": self.weight_hh, "bias": self.bias}
        return named if self.initial is None else named | {"initial": self.initial}

    def with_weights(self, weights: Mapping[str, Tensor]) -> Self:
        """Return a cell with the same settings and other weights, see `weights`."""
        return type(self)(**weights, **self.settings)  # type: ignore[arg-type]

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """Return the same cell in another precision or on another device."""
        return self.with_weights({key: w.to(dtype=dtype, device=device) for key, w in self.weights().items()})

    # ---- PyTorch ---------------------------------------------------------------------------------------------

    @classmethod
    def from_torch(cls, module: nn.RNNBase) -> Self:
        """Copy the weights of an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` of one layer and one direction.

        Raises
        ------
        ValueError
            For another type of module, several layers, two directions, or a projection.
        """
        wanted = _MODULES.get(cls.name)
        if wanted is None or not isinstance(module, wanted):
            expected = "no module" if wanted is None else f"an nn.{wanted.__name__}"
            raise ValueError(f"{cls.__name__}.from_torch expected {expected}, got {type(module).__name__}")
        if module.num_layers != 1 or module.bidirectional or module.proj_size:
            raise ValueError(
                f"expected one layer, one direction and no projection, got num_layers={module.num_layers}, "
                f"bidirectional={module.bidirectional}, proj_size={module.proj_size}"
            )
        settings = {"activation": str(module.nonlinearity)} if isinstance(module, nn.RNN) else {}
        named = {name: p.detach().clone() for name, p in module.named_parameters()}
        zero = torch.zeros_like(named["weight_ih_l0"][:, 0])
        return cls(
            named["weight_ih_l0"],
            named["weight_hh_l0"],
            named.get("bias_ih_l0", zero),
            named.get("bias_hh_l0", zero),
            **settings,
        )

    @property
    def standard(self) -> bool:
        """Whether this is a tanh RNN, GRU or LSTM as PyTorch has it, from the zero state."""
        return self.name in _MODULES and self.initial is None and not self.settings

    @property
    def in_torch(self) -> bool:
        """Whether PyTorch has a module that computes the same: also a relu RNN."""
        return self.standard or (
            self.name == "rnn" and self.initial is None and self.settings == {"activation": "relu"}
        )

    def to_torch(self) -> nn.RNNBase:
        """Return the same layer as a PyTorch module (``batch_first=False``), for speed or further training.

        Raises
        ------
        ValueError
            If PyTorch has none, see `in_torch`.
        """
        if not self.in_torch:
            raise ValueError(f"PyTorch has no module for {self.label} cells")
        relu = {"nonlinearity": "relu"} if self.settings else {}
        kind: Any = _MODULES[self.name]
        module: nn.RNNBase = kind(self.inputs, self.size, **relu)
        module = module.to(dtype=self.dtype, device=self.device)
        with torch.no_grad():
            for parameter, weight in zip(
                module.parameters(), (self.weight_ih, self.weight_hh, self.bias, self._hidden_bias()), strict=True
            ):
                parameter.copy_(weight)
        return module

    def _hidden_bias(self) -> Tensor:
        return torch.zeros_like(self.bias)

    # ---- dynamics --------------------------------------------------------------------------------------------

    def initial_state(self, *batch: int) -> Tensor:
        """Return the state before the first step, (*batch, S): zero, or that of the file."""
        zero = torch.zeros(*batch, self.state_size, dtype=self.dtype, device=self.device)
        return zero if self.initial is None else zero + self.initial

    def split(self, state: Tensor) -> dict[str, Tensor]:
        """Split a state into its parts by name: ``{"h": (..., n)}``, for an LSTM also ``"c"``."""
        return dict(zip(self.state_parts, state.split(self.size, dim=-1), strict=True))

    @abstractmethod
    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        """Take one step.

        Parameters
        ----------
        x : (..., inputs) tensor
        state : (..., S) tensor
        clamps : mapping of str to (n,) tensor
            Values that replace a signal as soon as it is computed, NaN for a free unit.

        Returns
        -------
        state : (..., S) tensor
            F(state, x).
        signals : dict
            Each name of ``signals`` → (..., n).
        """

    def run(
        self, x: Tensor, state: Tensor | None = None, clamps: Clamps = NO_CLAMPS
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Take all steps of inputs (..., time, inputs); return the final state and every signal, (..., time, n)."""
        state = self.initial_state(*x.shape[:-2]) if state is None else state
        recorded: dict[str, list[Tensor]] = {signal.name: [] for signal in self.signals}
        for t in range(x.shape[-2]):
            state, signals = self.step(x[..., t, :], state, clamps)
            for name, value in signals.items():
                recorded[name].append(value)
        return state, {name: torch.stack(values, dim=-2) for name, values in recorded.items()}

    @abstractmethod
    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        """Return the analytic Jacobian ∂F(state, x)/∂state of the full map, (..., S, S)."""

    # ---- clamps through weights, for `engine.ablation` ---------------------------------------------------------

    @abstractmethod
    def constants(self, signal: str, values: Tensor) -> Mapping[int, Tensor]:
        """Return the constant pre-activation of each gate that makes a signal converge to values (k,)."""


_MODULES: Final[Mapping[str, type[nn.RNNBase]]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def _checked_settings(cell: Cell, settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings that differ from the defaults, in the order of those."""
    unknown = set(settings) - set(cell.defaults)
    if unknown:
        known = ", ".join(cell.defaults) or "none"
        raise ValueError(f"{cell.name}: unknown setting {', '.join(sorted(unknown))}; known: {known}")
    for key, value in settings.items():
        default = cell.defaults[key]
        if isinstance(default, str):
            one = nonlinearity(value)
            if NONLINEARITIES[default].is_gate and not one.is_gate:
                raise ValueError(f"{cell.name}: {key} {one.name} is no gate between 0 and 1")
        elif isinstance(default, bool) is not isinstance(value, bool) or isinstance(value, str):
            raise ValueError(
                f"{cell.name}: {key} must be {'true or false' if isinstance(default, bool) else 'a number'}"
            )
        elif not isinstance(default, bool) and not 0 < value <= 1:
            raise ValueError(f"{cell.name}: {key} must be above 0 and at most 1, got {value:g}")
    return {key: settings[key] for key in cell.defaults if key in settings and settings[key] != cell.defaults[key]}


def clamped(name: str, value: Tensor, clamps: Clamps) -> Tensor:
    """Return the values of a signal with its clamped units replaced."""
    return torch.where(clamps[name].isnan(), value, clamps[name]) if name in clamps else value


def as_tensor(values: Any, like: Tensor | None = None) -> Tensor:
    """Return weights as a floating-point tensor, of the type and on the device of another one."""
    tensor = values.detach() if isinstance(values, Tensor) else torch.as_tensor(values)
    if not tensor.is_floating_point():
        tensor = tensor.to(torch.get_default_dtype())
    return tensor if like is None else tensor.to(dtype=like.dtype, device=like.device)
