"""The three recurrent cells with one interface: a step, its named signals and its Jacobian.

Conventions
-----------
Weights are in PyTorch's layout: ``weight_ih`` is (gates·n, inputs), ``weight_hh`` (gates·n, n), biases (gates·n,); gate
order LSTM ``i f g o``, GRU ``r z n``.  A class `Cell` is a *layer* of n *units*, which texts on screen call cells.  A
*state* is one tensor (..., S): ``h`` for the RNN and the GRU (S = n), ``[h, c]`` for the LSTM (S = 2n), so that a layer
is one map s ↦ F(s, x).  Every function is batched over the leading axes and keeps dtype and device.

Sources: Elman (1990) for the tanh RNN; Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. for the
LSTM, written as in Chong & Ling (2024), Eqs. 1–7; Cho et al. (2014) for the GRU, in the variant of PyTorch and cuDNN,
where the reset gate acts after the recurrent product.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

Kind = Literal["internal", "external", "input"]
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


INPUT = Signal("x", "input", -float("inf"), float("inf"), "input after embedding")


class Cell(ABC):
    """A layer of n recurrent units with fixed weights.

    Parameters
    ----------
    weight_ih : (gates·n, inputs) array
    weight_hh : (gates·n, n) array
    bias : (gates·n,) array
        The sum of PyTorch's two biases, or its input bias if ``bias_hh`` is given.
    bias_hh : (gates·n,) array, optional
        PyTorch's hidden bias.  Only the GRU's candidate needs it separately, because r multiplies it.

    Raises
    ------
    ValueError
        If the shapes do not match.
    """

    name: ClassVar[str]
    gates: ClassVar[int]
    state_parts: ClassVar[tuple[str, ...]] = ("h",)
    signals: ClassVar[tuple[Signal, ...]]

    def __init__(
        self, weight_ih: ArrayLike, weight_hh: ArrayLike, bias: ArrayLike, bias_hh: ArrayLike | None = None
    ) -> None:
        self.weight_ih = _tensor(weight_ih)
        self.weight_hh = _tensor(weight_hh, self.weight_ih)
        self.bias = _tensor(bias, self.weight_ih)
        hidden = torch.zeros_like(self.bias) if bias_hh is None else _tensor(bias_hh, self.weight_ih)
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

    def _join_biases(self, hidden: Tensor) -> None:
        self.bias = self.bias + hidden

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
        return {"weight_ih": self.weight_ih, "weight_hh": self.weight_hh, "bias": self.bias}

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """Return the same cell in another precision or on another device."""
        return type(self)(**{key: w.to(dtype=dtype, device=device) for key, w in self.weights().items()})

    @classmethod
    def from_torch(cls, module: nn.RNNBase) -> Self:
        """Copy the weights of an ``nn.RNN`` (tanh), ``nn.GRU`` or ``nn.LSTM`` of one layer and one direction.

        Raises
        ------
        ValueError
            For another type of module, several layers, two directions, a projection, or ReLU.
        """
        wanted = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cls.name]
        if not isinstance(module, wanted):
            raise ValueError(f"{cls.__name__}.from_torch expected an nn.{wanted.__name__}, got {type(module).__name__}")
        if module.num_layers != 1 or module.bidirectional or module.proj_size:
            raise ValueError(
                f"expected one layer, one direction and no projection, got num_layers={module.num_layers}, "
                f"bidirectional={module.bidirectional}, proj_size={module.proj_size}"
            )
        if getattr(module, "nonlinearity", "tanh") != "tanh":
            raise ValueError(f"expected an RNN with tanh, got {module.nonlinearity}")
        named = {name: p.detach().clone() for name, p in module.named_parameters()}
        zero = torch.zeros_like(named["weight_ih_l0"][:, 0])
        return cls(
            named["weight_ih_l0"],
            named["weight_hh_l0"],
            named.get("bias_ih_l0", zero),
            named.get("bias_hh_l0", zero),
        )

    def to_torch(self) -> nn.RNNBase:
        """Return the same layer as a PyTorch module (``batch_first=False``), for speed or further training."""
        module = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[self.name](self.inputs, self.size)
        module = module.to(dtype=self.dtype, device=self.device)
        with torch.no_grad():
            module.weight_ih_l0.copy_(self.weight_ih)
            module.weight_hh_l0.copy_(self.weight_hh)
            module.bias_ih_l0.copy_(self.bias)
            module.bias_hh_l0.copy_(self._hidden_bias())
        return module

    def _hidden_bias(self) -> Tensor:
        return torch.zeros_like(self.bias)

    # ---- dynamics --------------------------------------------------------------------------------------------

    def initial_state(self, *batch: int) -> Tensor:
        """Return the zero state, (*batch, S)."""
        return torch.zeros(*batch, self.state_size, dtype=self.dtype, device=self.device)

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


class RnnCell(Cell):
    """tanh RNN: h' = tanh(W x + U h + b)."""

    name = "rnn"
    gates = 1
    signals = (Signal("h", "external", -1.0, 1.0, "hidden state, the output"),)

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        h = _clamped("h", torch.tanh(x @ self.weight_ih.mT + state @ self.weight_hh.mT + self.bias), clamps)
        return h, {"h": h}

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        h, _ = self.step(x, state)
        return (1 - h * h).unsqueeze(-1) * self.weight_hh


class GruCell(Cell):
    """GRU: r, z = σ(·); n = tanh(W x + b + r ⊙ (U h + b_hn)); h' = (1 − z) ⊙ n + z ⊙ h."""

    name = "gru"
    gates = 3
    signals = (
        Signal("r", "internal", 0.0, 1.0, "reset gate"),
        Signal("z", "internal", 0.0, 1.0, "update gate: 1 keeps the old state"),
        Signal("n", "internal", -1.0, 1.0, "candidate state"),
        Signal("h", "external", -1.0, 1.0, "hidden state, the output"),
    )

    def _join_biases(self, hidden: Tensor) -> None:
        # r multiplies the candidate's hidden bias, so that third stays separate; the others are added to `bias`.
        n = self.size
        self.bias = torch.cat((self.bias[: 2 * n] + hidden[: 2 * n], self.bias[2 * n :]))
        self.bias_hn = hidden[2 * n :].clone()

    def _hidden_bias(self) -> Tensor:
        return torch.cat((torch.zeros_like(self.bias[: 2 * self.size]), self.bias_hn))

    def weights(self) -> dict[str, Tensor]:
        return super().weights() | {"bias_hh": self._hidden_bias()}

    def _parts(self, x: Tensor, h: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        xr, xz, xn = (x @ self.weight_ih.mT + self.bias).chunk(3, dim=-1)
        hr, hz, hn = (h @ self.weight_hh.mT).chunk(3, dim=-1)
        r, z = _clamped("r", torch.sigmoid(xr + hr), clamps), _clamped("z", torch.sigmoid(xz + hz), clamps)
        hidden = hn + self.bias_hn
        return r, z, _clamped("n", torch.tanh(xn + r * hidden), clamps), hidden

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        r, z, n, _ = self._parts(x, state, clamps)
        h = _clamped("h", (1 - z) * n + z * state, clamps)
        return h, {"r": r, "z": z, "n": n, "h": h}

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        r, z, n, hidden = self._parts(x, state)
        wr, wz, wn = self.weight_hh.chunk(3, dim=0)
        by_candidate = (1 - z) * (1 - n * n)
        matrix = (by_candidate * r).unsqueeze(-1) * wn
        matrix.addcmul_((by_candidate * r * (1 - r) * hidden).unsqueeze(-1), wr)
        matrix.addcmul_((z * (1 - z) * (state - n)).unsqueeze(-1), wz)
        matrix.diagonal(dim1=-2, dim2=-1).add_(z)
        return matrix


class LstmCell(Cell):
    """LSTM: i, f, o = σ(·); g = tanh(·); c' = f ⊙ c + i ⊙ g; h' = o ⊙ tanh c'  (Chong & Ling 2024, Eqs. 1–7)."""

    name = "lstm"
    gates = 4
    state_parts = ("h", "c")
    signals = (
        Signal("i", "internal", 0.0, 1.0, "input gate"),
        Signal("f", "internal", 0.0, 1.0, "forget gate: 1 keeps the old cell state"),
        Signal("g", "internal", -1.0, 1.0, "candidate cell state"),
        Signal("o", "internal", 0.0, 1.0, "output gate"),
        Signal("c", "external", -float("inf"), float("inf"), "cell state, the memory"),
        Signal("c_out", "external", -1.0, 1.0, "tanh of the cell state"),
        Signal("h", "external", -1.0, 1.0, "hidden state, the output"),
    )

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        h, c = state.split(self.size, dim=-1)
        i, f, g, o = (x @ self.weight_ih.mT + h @ self.weight_hh.mT + self.bias).chunk(4, dim=-1)
        i, f = _clamped("i", torch.sigmoid(i), clamps), _clamped("f", torch.sigmoid(f), clamps)
        g, o = _clamped("g", torch.tanh(g), clamps), _clamped("o", torch.sigmoid(o), clamps)
        c = _clamped("c", f * c + i * g, clamps)
        c_out = _clamped("c_out", torch.tanh(c), clamps)
        h = _clamped("h", o * c_out, clamps)
        return torch.cat((h, c), dim=-1), {"i": i, "f": f, "g": g, "o": o, "c": c, "c_out": c_out, "h": h}

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        c = state[..., self.size :]
        _, s = self.step(x, state)
        i, f, g, o, c_out = s["i"], s["f"], s["g"], s["o"], s["c_out"]
        wi, wf, wg, wo = self.weight_hh.chunk(4, dim=0)
        n = self.size
        dc_dh = (i * (1 - i) * g).unsqueeze(-1) * wi
        dc_dh.addcmul_((f * (1 - f) * c).unsqueeze(-1), wf).addcmul_((i * (1 - g * g)).unsqueeze(-1), wg)
        slope = o * (1 - c_out * c_out)  # ∂h'/∂c'
        matrix = dc_dh.new_zeros(*dc_dh.shape[:-2], 2 * n, 2 * n)
        matrix[..., :n, :n] = (slope.unsqueeze(-1) * dc_dh).addcmul_((o * (1 - o) * c_out).unsqueeze(-1), wo)
        matrix[..., n:, :n] = dc_dh
        matrix[..., :n, n:].diagonal(dim1=-2, dim2=-1).copy_(slope * f)
        matrix[..., n:, n:].diagonal(dim1=-2, dim2=-1).copy_(f)
        return matrix


CELLS: Mapping[str, type[Cell]] = {cell.name: cell for cell in (RnnCell, GruCell, LstmCell)}


def cell_from_torch(module: nn.RNNBase) -> Cell:
    """Return the cell with the weights of an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``."""
    names = {nn.RNN: "rnn", nn.GRU: "gru", nn.LSTM: "lstm"}
    if type(module) not in names:
        raise ValueError(f"expected an nn.RNN, nn.GRU or nn.LSTM, got {type(module).__name__}")
    return CELLS[names[type(module)]].from_torch(module)


def _clamped(name: str, value: Tensor, clamps: Clamps) -> Tensor:
    return torch.where(clamps[name].isnan(), value, clamps[name]) if name in clamps else value


def _tensor(values: Any, like: Tensor | None = None) -> Tensor:
    tensor = values.detach() if isinstance(values, Tensor) else torch.as_tensor(values)
    if not tensor.is_floating_point():
        tensor = tensor.to(torch.get_default_dtype())
    return tensor if like is None else tensor.to(dtype=like.dtype, device=like.device)
