"""The three recurrent cells, one interface: a step, its named signals, its Jacobian.

Conventions
-----------
Weights are in PyTorch's layout: ``weight_ih`` is (gates·n, inputs), ``weight_hh`` (gates·n, n), biases
(gates·n,); gate order LSTM ``i f g o``, GRU ``r z n``.  A *state* is one tensor (..., S): ``h`` for the RNN and
the GRU (S = n), ``[h, c]`` for the LSTM (S = 2n), so that every room can treat a layer as one map
s ↦ F(s, x).  Every function is batched over the leading axes and keeps dtype and device.

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
NO_CLAMPS: Final[Clamps] = {}


@dataclass(frozen=True)
class Signal:
    """One named quantity of every cell at every step.

    ``kind`` is the split of Chong & Ling (2024): *internal* activations regulate, *external* ones carry the output.
    ``low`` and ``high`` bound the values (the range a colour map needs); ±inf where there is no bound.
    """

    name: str
    kind: Kind
    low: float
    high: float
    meaning: str


INPUT = Signal("x", "input", -float("inf"), float("inf"), "input after embedding")


class Cell(ABC):
    """A layer of n recurrent cells with fixed weights.

    Parameters
    ----------
    weight_ih : (gates·n, inputs) array
    weight_hh : (gates·n, n) array
    bias : (gates·n,) array
        The sum of PyTorch's two biases, or its input bias if ``bias_hh`` is given.
    bias_hh : (gates·n,) array, optional
        PyTorch's hidden bias.  Only the GRU's candidate needs it apart (it is multiplied by r).

    Raises
    ------
    ValueError
        If the shapes do not agree; the message says which was expected.
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
                f"{self.name}: weights must be matrices, got shapes "
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
                    f"{self.name} of {n} cells: {key} must be {shape}, got {tuple(got[key].shape)} "
                    "(PyTorch's layout: gates stacked along the first axis)"
                )
        self._join_biases(hidden)

    def _join_biases(self, hidden: Tensor) -> None:
        self.bias = self.bias + hidden

    # ---- what it is ------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """n, the number of cells."""
        return self.weight_hh.shape[1]

    @property
    def inputs(self) -> int:
        """Length of one input vector x."""
        return self.weight_ih.shape[1]

    @property
    def state_size(self) -> int:
        """S, the length of one state: n, or 2n for an LSTM."""
        return len(self.state_parts) * self.size

    @property
    def dtype(self) -> torch.dtype:
        return self.weight_ih.dtype

    @property
    def device(self) -> torch.device:
        return self.weight_ih.device

    def weights(self) -> dict[str, Tensor]:
        """The tensors that define this cell, by the names the constructor takes."""
        return {"weight_ih": self.weight_ih, "weight_hh": self.weight_hh, "bias": self.bias}

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Self:
        """The same cell in another precision or on another device."""
        return type(self)(**{key: w.to(dtype=dtype, device=device) for key, w in self.weights().items()})

    @classmethod
    def from_torch(cls, module: nn.RNNBase) -> Self:
        """Take the weights of an ``nn.RNN`` (tanh), ``nn.GRU`` or ``nn.LSTM`` of one layer, one direction.

        Raises
        ------
        ValueError
            For another module type, several layers, two directions, a projection, or a ReLU.
        """
        wanted = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cls.name]
        if not isinstance(module, wanted):
            raise ValueError(f"{cls.__name__}.from_torch takes an nn.{wanted.__name__}, got {type(module).__name__}")
        if module.num_layers != 1 or module.bidirectional or module.proj_size:
            raise ValueError("only one layer, one direction and no projection is supported")
        if getattr(module, "nonlinearity", "tanh") != "tanh":
            raise ValueError(f"only the tanh RNN is supported, got {module.nonlinearity}")
        named = {name: p.detach().clone() for name, p in module.named_parameters()}
        zero = torch.zeros_like(named["weight_ih_l0"][:, 0])
        return cls(
            named["weight_ih_l0"],
            named["weight_hh_l0"],
            named.get("bias_ih_l0", zero),
            named.get("bias_hh_l0", zero),
        )

    def to_torch(self) -> nn.RNNBase:
        """The same layer as a PyTorch module (``batch_first=False``), for speed or for training on."""
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

    # ---- what it does ----------------------------------------------------------------------------------------

    def initial_state(self, *batch: int) -> Tensor:
        """The zero state, (*batch, S)."""
        return torch.zeros(*batch, self.state_size, dtype=self.dtype, device=self.device)

    def split(self, state: Tensor) -> dict[str, Tensor]:
        """A state's parts by name: ``{"h": (..., n)}``, for an LSTM also ``"c"``."""
        return dict(zip(self.state_parts, state.split(self.size, dim=-1), strict=True))

    @abstractmethod
    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        """One step of every cell.

        Parameters
        ----------
        x : (..., inputs) tensor
        state : (..., S) tensor
        held : mapping of str to (n,) tensor
            Values that take a signal's place as soon as it is computed, NaN where a cell is free.

        Returns
        -------
        state : (..., S) tensor
            F(state, x).
        signals : dict
            Every name of ``signals`` → (..., n).
        """

    def run(
        self, x: Tensor, state: Tensor | None = None, clamps: Clamps = NO_CLAMPS
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """All steps of (..., time, inputs): the final state, and every signal as (..., time, n)."""
        state = self.initial_state(*x.shape[:-2]) if state is None else state
        kept: dict[str, list[Tensor]] = {signal.name: [] for signal in self.signals}
        for t in range(x.shape[-2]):
            state, signals = self.step(x[..., t, :], state, clamps)
            for name, value in signals.items():
                kept[name].append(value)
        return state, {name: torch.stack(values, dim=-2) for name, values in kept.items()}

    @abstractmethod
    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        """∂F(state, x)/∂state of the full map, analytic: (..., S, S)."""


class RnnCell(Cell):
    """tanh RNN: h' = tanh(W x + U h + b)."""

    name = "rnn"
    gates = 1
    signals = (Signal("h", "external", -1.0, 1.0, "hidden state, the output"),)

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        h = _put("h", torch.tanh(x @ self.weight_ih.mT + state @ self.weight_hh.mT + self.bias), clamps)
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
        # r multiplies the candidate's hidden bias, so that third of it must stay apart; the others fold into `bias`.
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
        r, z = _put("r", torch.sigmoid(xr + hr), clamps), _put("z", torch.sigmoid(xz + hz), clamps)
        hidden = hn + self.bias_hn
        return r, z, _put("n", torch.tanh(xn + r * hidden), clamps), hidden

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        r, z, n, _ = self._parts(x, state, clamps)
        h = _put("h", (1 - z) * n + z * state, clamps)
        return h, {"r": r, "z": z, "n": n, "h": h}

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        r, z, n, hidden = self._parts(x, state)
        wr, wz, wn = self.weight_hh.chunk(3, dim=0)
        dr = (r * (1 - r) * hidden).unsqueeze(-1) * wr
        dn = (1 - n * n).unsqueeze(-1) * (dr + r.unsqueeze(-1) * wn)
        dz = (z * (1 - z) * (state - n)).unsqueeze(-1) * wz
        return dz + (1 - z).unsqueeze(-1) * dn + torch.diag_embed(z)


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
        i, f = _put("i", torch.sigmoid(i), clamps), _put("f", torch.sigmoid(f), clamps)
        g, o = _put("g", torch.tanh(g), clamps), _put("o", torch.sigmoid(o), clamps)
        c = _put("c", f * c + i * g, clamps)
        c_out = _put("c_out", torch.tanh(c), clamps)
        h = _put("h", o * c_out, clamps)
        return torch.cat((h, c), dim=-1), {"i": i, "f": f, "g": g, "o": o, "c": c, "c_out": c_out, "h": h}

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        c = state[..., self.size :]
        _, s = self.step(x, state)
        i, f, g, o, c_out = s["i"], s["f"], s["g"], s["o"], s["c_out"]
        wi, wf, wg, wo = self.weight_hh.chunk(4, dim=0)
        dc_dh = (
            (i * (1 - i) * g).unsqueeze(-1) * wi
            + (f * (1 - f) * c).unsqueeze(-1) * wf
            + (i * (1 - g * g)).unsqueeze(-1) * wg
        )
        slope = o * (1 - c_out * c_out)  # ∂h'/∂c'
        dh_dh = slope.unsqueeze(-1) * dc_dh + (o * (1 - o) * c_out).unsqueeze(-1) * wo
        top = torch.cat((dh_dh, torch.diag_embed(slope * f)), dim=-1)
        bottom = torch.cat((dc_dh, torch.diag_embed(f)), dim=-1)
        return torch.cat((top, bottom), dim=-2)


CELLS: Mapping[str, type[Cell]] = {cell.name: cell for cell in (RnnCell, GruCell, LstmCell)}


def cell_from_torch(module: nn.RNNBase) -> Cell:
    """The cell that matches an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``."""
    names = {nn.RNN: "rnn", nn.GRU: "gru", nn.LSTM: "lstm"}
    if type(module) not in names:
        raise ValueError(f"expected an nn.RNN, nn.GRU or nn.LSTM, got {type(module).__name__}")
    return CELLS[names[type(module)]].from_torch(module)


def _put(name: str, value: Tensor, clamps: Clamps) -> Tensor:
    return torch.where(clamps[name].isnan(), value, clamps[name]) if name in clamps else value


def _tensor(values: Any, like: Tensor | None = None) -> Tensor:
    tensor = values.detach() if isinstance(values, Tensor) else torch.as_tensor(values)
    if not tensor.is_floating_point():
        tensor = tensor.to(torch.get_default_dtype())
    return tensor if like is None else tensor.to(dtype=like.dtype, device=like.device)
