"""The recurrent cells: a step, its named signals, its Jacobian, and what distinguishes one layer from another.

=========  ============================================================  =====================================
class      step                                                          settings
=========  ============================================================  =====================================
RnnCell    h' = h + α (φ(W x + U h + b) − h)                             activation φ, leak α
RateCell   v' = v + α (W x + U h + b − v); h' = φ(v')                    activation φ, leak α
LruCell    h' = W x + U h, U block-diagonal: pairs (Re, Im) of λ s       –
GruCell    r, z = σ(·); n = φ(W x + b + r ⊙ (U h + b_hn));               gate σ, activation φ, reset_before:
           h' = (1 − z) ⊙ n + z ⊙ h                                      n = φ(W x + b + U (r ⊙ h))
LstmCell   i, f, o = σ(·); g = φ(·); c' = f ⊙ c + i ⊙ g; h' = o ⊙ ψ(c')   gate σ, activation φ, output ψ
MinGruCell z = σ(W x + b); n = φ(W x + b); h' = (1 − z) ⊙ h + z ⊙ n      activation φ
MinLstmCell f, i = σ(·) / sum; g = φ(·); h' = f ⊙ h + i ⊙ g              activation φ
=========  ============================================================  =====================================

Sources: Elman (1990) for the RNN; Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. for the LSTM,
written as in Chong & Ling (2024), Eqs. 1–7; Cho et al. (2014) for the GRU, by default in the variant of PyTorch and
cuDNN, where the reset gate acts after the recurrent product; Feng et al. (2024), "Were RNNs all we needed?", for minGRU
and minLSTM; Orvieto et al. (2023), "Resurrecting recurrent neural networks for long sequences", for the LRU; Yang &
Wang (2020) for rate networks, whose state is the current v, as in PsychRNN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from engine.base_cell import (
    INPUT as INPUT,
    NO_CLAMPS,
    Cell as Cell,
    Clamps as Clamps,
    Kind as Kind,
    Setting as Setting,
    Signal as Signal,
    clamped,
)

_FREE = float("inf")
_END = 16.0  # a gate at ±16 is 1 or 0 to 1e-7, and all weights stay finite
_CANDIDATE = 0.9  # largest |g| of a clamped cell state; larger states accumulate through the forget gate
_HIDDEN = Signal("h", "external", -1.0, 1.0, "hidden state, the output")


class RnnCell(Cell):
    """RNN, by default h' = tanh(W x + U h + b); with a leak α < 1, h' = (1 − α) h + α tanh(…)."""

    name = "rnn"
    gates = 1
    defaults: ClassVar[Mapping[str, Setting]] = {"activation": "tanh", "leak": 1.0}
    signals = (_HIDDEN,)

    def _configure(self) -> None:
        self._function = self.function("activation")
        self.leak = float(self.setting("leak"))
        self.signals = (_HIDDEN.within(self._function, 0.0) if self.leak < 1 else _HIDDEN.within(self._function),)

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        new = self._function.value(x @ self.weight_ih.mT + state @ self.weight_hh.mT + self.bias)
        h = clamped("h", new if self.leak == 1 else state + self.leak * (new - state), clamps)
        return h, {"h": h}

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        new = self._function.value(x @ self.weight_ih.mT + state @ self.weight_hh.mT + self.bias)
        matrix = self._function.slope(new).unsqueeze(-1) * self.weight_hh
        if self.leak == 1:
            return matrix
        matrix = self.leak * matrix
        matrix.diagonal(dim1=-2, dim2=-1).add_(1 - self.leak)
        return matrix

    def constants(self, signal: str, values: Tensor) -> Mapping[int, Tensor]:
        return {0: self._function.inverse(values)}


class RateCell(Cell):
    """Rate network: the current v' = (1 − α) v + α (W x + U h + b) is the state, the rate h' = φ(v') the output."""

    name = "rate"
    title = "rate"
    gates = 1
    state_parts = ("h", "v")
    defaults: ClassVar[Mapping[str, Setting]] = {"activation": "relu", "leak": 0.1}
    signals = (
        Signal("v", "internal", -_FREE, _FREE, "input current"),
        replace(_HIDDEN, high=_FREE, low=0.0, meaning="firing rate, the output"),
    )

    def _configure(self) -> None:
        self._function = self.function("activation")
        self.leak = float(self.setting("leak"))
        self.signals = (self.signals[0], self.signals[1].within(self._function))
        at_rest = self._function.value(torch.zeros_like(self.bias))
        if self.initial is None and at_rest.any():
            self.initial = torch.cat((at_rest, torch.zeros_like(at_rest)))

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        h, v = state.split(self.size, dim=-1)
        v = clamped("v", v + self.leak * (x @ self.weight_ih.mT + h @ self.weight_hh.mT + self.bias - v), clamps)
        h = clamped("h", self._function.value(v), clamps)
        return torch.cat((h, v), dim=-1), {"v": v, "h": h}

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        n = self.size
        slope = self._function.slope(self.step(x, state)[0][..., :n])
        matrix = slope.new_zeros(*slope.shape[:-1], 2 * n, 2 * n)
        matrix[..., n:, :n] = self.leak * self.weight_hh
        matrix[..., n:, n:].diagonal(dim1=-2, dim2=-1).fill_(1 - self.leak)
        matrix[..., :n, :n] = slope.unsqueeze(-1) * (self.leak * self.weight_hh)
        matrix[..., :n, n:].diagonal(dim1=-2, dim2=-1).copy_(slope * (1 - self.leak))
        return matrix

    def constants(self, signal: str, values: Tensor) -> Mapping[int, Tensor]:
        return {0: values if signal == "v" else self._function.inverse(values)}


class LruCell(RnnCell):
    """Linear recurrent unit: units k and N + k are the real and the imaginary part of s_k' = λ_k s_k + (γ B x)_k."""

    name = "lru"
    defaults: ClassVar[Mapping[str, Setting]] = {"activation": "linear", "leak": 1.0}
    signals = (replace(_HIDDEN, low=-_FREE, high=_FREE, meaning="real parts of the states, then the imaginary ones"),)

    @classmethod
    def from_modes(cls, eigenvalues: Tensor, input_matrix: Tensor, initial: ArrayLike | None = None) -> LruCell:
        """Return the layer of N complex modes.

        Parameters
        ----------
        eigenvalues : (N,) complex tensor
            λ = exp(−exp(ν) + i exp(θ)) in the notation of Orvieto et al.
        input_matrix : (N, inputs) complex tensor
            γ B; γ = √(1 − |λ|²) unless it was trained.
        """
        if eigenvalues.ndim != 1 or input_matrix.ndim != 2 or len(eigenvalues) != len(input_matrix):
            raise ValueError(
                f"lru: expected eigenvalues (N,) and an input matrix (N, inputs), got {tuple(eigenvalues.shape)} and "
                f"{tuple(input_matrix.shape)}"
            )
        real, imaginary = torch.diag(eigenvalues.real), torch.diag(eigenvalues.imag)
        recurrent = torch.cat((torch.cat((real, -imaginary), 1), torch.cat((imaginary, real), 1)))
        inputs = torch.cat((input_matrix.real, input_matrix.imag))
        return cls(inputs, recurrent, torch.zeros_like(inputs[:, 0]), None, initial)


class GruCell(Cell):
    """GRU: r, z = σ(·); n = tanh(W x + b + r ⊙ (U h + b_hn)); h' = (1 − z) ⊙ n + z ⊙ h."""

    name = "gru"
    gates = 3
    defaults: ClassVar[Mapping[str, Setting]] = {"gate": "sigmoid", "activation": "tanh", "reset_before": False}
    signals = (
        Signal("r", "internal", 0.0, 1.0, "reset gate"),
        Signal("z", "internal", 0.0, 1.0, "update gate: 1 keeps the old state"),
        Signal("n", "internal", -1.0, 1.0, "candidate state"),
        _HIDDEN,
    )

    def _configure(self) -> None:
        self._gate, self._function = self.function("gate"), self.function("activation")
        self.reset_before = bool(self.setting("reset_before"))
        r, z, n, h = self.signals
        self.signals = (r, z, n.within(self._function), h.within(self._function, 0.0))

    def _join_biases(self, hidden: Tensor) -> None:
        # r multiplies the candidate's hidden bias, so that third stays separate; the others are added to `bias`.
        n = self.size
        if self.setting("reset_before"):
            self.bias, self.bias_hn = self.bias + hidden, torch.zeros_like(hidden[2 * n :])
            return
        self.bias = torch.cat((self.bias[: 2 * n] + hidden[: 2 * n], self.bias[2 * n :]))
        self.bias_hn = hidden[2 * n :].clone()

    def _hidden_bias(self) -> Tensor:
        return torch.cat((torch.zeros_like(self.bias[: 2 * self.size]), self.bias_hn))

    def weights(self) -> dict[str, Tensor]:
        return super().weights() | {"bias_hh": self._hidden_bias()}

    def _parts(self, x: Tensor, h: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        xr, xz, xn = (x @ self.weight_ih.mT + self.bias).chunk(3, dim=-1)
        gate, function = self._gate.value, self._function.value
        if self.reset_before:
            wr, wz, wn = self.weight_hh.chunk(3, dim=0)
            r, z = clamped("r", gate(xr + h @ wr.mT), clamps), clamped("z", gate(xz + h @ wz.mT), clamps)
            hidden = (r * h) @ wn.mT
            return r, z, clamped("n", function(xn + hidden), clamps), hidden
        hr, hz, hn = (h @ self.weight_hh.mT).chunk(3, dim=-1)
        r, z = clamped("r", gate(xr + hr), clamps), clamped("z", gate(xz + hz), clamps)
        hidden = hn + self.bias_hn
        return r, z, clamped("n", function(xn + r * hidden), clamps), hidden

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        r, z, n, _ = self._parts(x, state, clamps)
        h = clamped("h", (1 - z) * n + z * state, clamps)
        return h, {"r": r, "z": z, "n": n, "h": h}

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        r, z, n, hidden = self._parts(x, state)
        matrix = self.candidate_jacobian(r, n, hidden, state, scale=1 - z)
        matrix.addcmul_((self._gate.slope(z) * (state - n)).unsqueeze(-1), self.weight_hh.chunk(3, dim=0)[1])
        matrix.diagonal(dim1=-2, dim2=-1).add_(z)
        return matrix

    def candidate(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return r, the candidate n, and the recurrent part of n's argument, before r multiplies it."""
        r, _, n, hidden = self._parts(x, h)
        return r, n, hidden

    def candidate_jacobian(
        self, r: Tensor, n: Tensor, hidden: Tensor, h: Tensor, scale: Tensor | float = 1.0
    ) -> Tensor:
        """Return diag(scale) ∂n/∂h, (..., n, n), for what `candidate` returned at h."""
        wr, _, wn = self.weight_hh.chunk(3, dim=0)
        by_candidate = scale * self._function.slope(n)
        if self.reset_before:
            inner = (self._gate.slope(r) * h).unsqueeze(-1) * wr
            inner.diagonal(dim1=-2, dim2=-1).add_(r)
            return by_candidate.unsqueeze(-1) * (wn @ inner)
        matrix = (by_candidate * r).unsqueeze(-1) * wn
        return matrix.addcmul_((by_candidate * self._gate.slope(r) * hidden).unsqueeze(-1), wr)

    def constants(self, signal: str, values: Tensor) -> Mapping[int, Tensor]:
        if signal == "n":
            return {2: self._function.inverse(values)}
        if signal in "rz":
            return {"rz".index(signal): self._gate.inverse(values)}
        return {1: torch.full_like(values, -_END), 2: self._function.inverse(values)}


class LstmCell(Cell):
    """LSTM: i, f, o = σ(·); g = tanh(·); c' = f ⊙ c + i ⊙ g; h' = o ⊙ tanh c'  (Chong & Ling 2024, Eqs. 1–7)."""

    name = "lstm"
    gates = 4
    state_parts = ("h", "c")
    defaults: ClassVar[Mapping[str, Setting]] = {"gate": "sigmoid", "activation": "tanh", "output": "tanh"}
    signals = (
        Signal("i", "internal", 0.0, 1.0, "input gate"),
        Signal("f", "internal", 0.0, 1.0, "forget gate: 1 keeps the old cell state"),
        Signal("g", "internal", -1.0, 1.0, "candidate cell state"),
        Signal("o", "internal", 0.0, 1.0, "output gate"),
        Signal("c", "external", -_FREE, _FREE, "cell state, the memory"),
        Signal("c_out", "external", -1.0, 1.0, "tanh of the cell state"),
        _HIDDEN,
    )

    def _configure(self) -> None:
        self._gate, self._function, self._output = (self.function(key) for key in self.defaults)
        i, f, g, o, c, c_out, h = self.signals
        g, h = g.within(self._function), h.within(self._output, 0.0)
        c_out = replace(c_out.within(self._output), meaning=f"{self._output.name} of the cell state")
        self.signals = (i, f, g, o, c, c_out, h)

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        h, c = state.split(self.size, dim=-1)
        gate = self._gate.value
        i, f, g, o = (x @ self.weight_ih.mT + h @ self.weight_hh.mT + self.bias).chunk(4, dim=-1)
        i, f = clamped("i", gate(i), clamps), clamped("f", gate(f), clamps)
        g, o = clamped("g", self._function.value(g), clamps), clamped("o", gate(o), clamps)
        c = clamped("c", f * c + i * g, clamps)
        c_out = clamped("c_out", self._output.value(c), clamps)
        h = clamped("h", o * c_out, clamps)
        return torch.cat((h, c), dim=-1), {"i": i, "f": f, "g": g, "o": o, "c": c, "c_out": c_out, "h": h}

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        c = state[..., self.size :]
        _, s = self.step(x, state)
        i, f, g, o, c_out = s["i"], s["f"], s["g"], s["o"], s["c_out"]
        wi, wf, wg, wo = self.weight_hh.chunk(4, dim=0)
        n, gate_slope = self.size, self._gate.slope
        dc_dh = (gate_slope(i) * g).unsqueeze(-1) * wi
        dc_dh.addcmul_((gate_slope(f) * c).unsqueeze(-1), wf)
        dc_dh.addcmul_((i * self._function.slope(g)).unsqueeze(-1), wg)
        slope = o * self._output.slope(c_out)  # ∂h'/∂c'
        matrix = dc_dh.new_zeros(*dc_dh.shape[:-2], 2 * n, 2 * n)
        matrix[..., :n, :n] = (slope.unsqueeze(-1) * dc_dh).addcmul_((gate_slope(o) * c_out).unsqueeze(-1), wo)
        matrix[..., n:, :n] = dc_dh
        matrix[..., :n, n:].diagonal(dim1=-2, dim2=-1).copy_(slope * f)
        matrix[..., n:, n:].diagonal(dim1=-2, dim2=-1).copy_(f)
        return matrix

    def constants(self, signal: str, values: Tensor) -> Mapping[int, Tensor]:
        if signal == "g":
            return {2: self._function.inverse(values)}
        if signal in "ifo":
            return {"ifgo".index(signal): self._gate.inverse(values)}
        open_gate = torch.full_like(values, _END)
        target = (values if signal == "c" else self._output.inverse(values)).nan_to_num()
        forget = (1 - _CANDIDATE / target.abs()).clamp(min=0)  # at a fixed point c = i g / (1 − f)
        return {0: open_gate, 1: self._gate.inverse(forget), 2: self._function.inverse(target * (1 - forget))} | (
            {3: open_gate} if signal == "h" else {}
        )


class _MinimalCell(Cell):
    """A layer whose gates read the input alone, so that each unit is a leaky integrator of its own."""

    defaults: ClassVar[Mapping[str, Setting]] = {"activation": "linear"}

    def __init__(
        self,
        weight_ih: ArrayLike,
        bias: ArrayLike,
        bias_hh: ArrayLike | None = None,
        initial: ArrayLike | None = None,
        **settings: Setting,
    ) -> None:
        super().__init__(weight_ih, None, bias, bias_hh, initial, **settings)

    def _configure(self) -> None:
        self._function = self.function("activation")
        *gates, candidate, h = self.signals
        self.signals = (*gates, candidate.within(self._function), h.within(self._function, 0.0))

    def weights(self) -> dict[str, Tensor]:
        return {name: weight for name, weight in super().weights().items() if name != "weight_hh"}

    def kept(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the fraction of the state that a step keeps and the candidate, (..., n) each."""
        signals = self.step(x, torch.zeros(self.size, dtype=x.dtype, device=x.device))[1]
        *_, candidate, _ = signals.values()
        return signals["f"] if "f" in signals else 1 - signals["z"], candidate

    def jacobian(self, x: Tensor, state: Tensor) -> Tensor:
        return torch.diag_embed(self.kept(x)[0].expand_as(state))


class MinGruCell(_MinimalCell):
    """minGRU: z = σ(W x + b), n = W x + b; h' = (1 − z) ⊙ h + z ⊙ n.  z is Feng's: 1 takes the candidate."""

    name = "mingru"
    title = "minGRU"
    gates = 2
    signals = (
        Signal("z", "internal", 0.0, 1.0, "update gate: 1 takes the candidate"),
        Signal("n", "internal", -_FREE, _FREE, "candidate state"),
        _HIDDEN,
    )

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        z, n = (x @ self.weight_ih.mT + self.bias).chunk(2, dim=-1)
        z, n = clamped("z", z.sigmoid(), clamps), clamped("n", self._function.value(n), clamps)
        h = clamped("h", (1 - z) * state + z * n, clamps)
        return h, {"z": z.expand_as(h), "n": n.expand_as(h), "h": h}

    def constants(self, signal: str, values: Tensor) -> Mapping[int, Tensor]:
        if signal == "z":
            return {0: values.logit().clamp(-_END, _END)}
        candidate = {1: self._function.inverse(values)}
        return candidate if signal == "n" else {0: torch.full_like(values, _END), **candidate}


class MinLstmCell(_MinimalCell):
    """minLSTM: f and i are two sigmoids divided by their sum, g = W x + b; h' = f ⊙ h + i ⊙ g."""

    name = "minlstm"
    title = "minLSTM"
    gates = 3
    signals = (
        Signal("f", "internal", 0.0, 1.0, "forget gate, normalised: 1 keeps the old state"),
        Signal("i", "internal", 0.0, 1.0, "input gate, normalised: 1 − f"),
        Signal("g", "internal", -_FREE, _FREE, "candidate state"),
        _HIDDEN,
    )

    def step(self, x: Tensor, state: Tensor, clamps: Clamps = NO_CLAMPS) -> tuple[Tensor, dict[str, Tensor]]:
        f, i, g = (x @ self.weight_ih.mT + self.bias).chunk(3, dim=-1)
        # σ(a) / (σ(a) + σ(b)) = σ(log σ(a) − log σ(b)), without 0/0 where both gates are closed
        odds = nn.functional.logsigmoid(f) - nn.functional.logsigmoid(i)
        f, i = clamped("f", odds.sigmoid(), clamps), clamped("i", (-odds).sigmoid(), clamps)
        g = clamped("g", self._function.value(g), clamps)
        h = clamped("h", f * state + i * g, clamps)
        return h, {"f": f.expand_as(h), "i": i.expand_as(h), "g": g.expand_as(h), "h": h}

    def constants(self, signal: str, values: Tensor) -> Mapping[int, Tensor]:
        if signal in "fi":
            odds = values.logit().clamp(-_END, _END) * (1 if signal == "f" else -1)
            return dict(enumerate(_gates_of_odds(odds)))
        candidate = {2: self._function.inverse(values)}
        if signal == "g":
            return candidate
        return {0: torch.full_like(values, -_END), 1: torch.full_like(values, _END), **candidate}


def _gates_of_odds(odds: Tensor) -> tuple[Tensor, Tensor]:
    """Return a and b with log σ(a) − log σ(b) = odds; the larger gate is at ½."""
    half = torch.full_like(odds, 0.5).logit()
    smaller = (0.5 * torch.exp(-odds.abs())).logit()
    return torch.where(odds >= 0, half, smaller), torch.where(odds >= 0, smaller, half)


CELLS: Mapping[str, type[Cell]] = {
    cell.name: cell for cell in (RnnCell, GruCell, LstmCell, RateCell, LruCell, MinGruCell, MinLstmCell)
}
TRAINED: tuple[str, ...] = ("rnn", "gru", "lstm")
"""Names of the cells that `engine.training` trains."""


def build_cell(name: str, tensors: Mapping[str, Tensor], settings: Mapping[str, Setting]) -> Cell:
    """Return the cell of a type from named tensors, of which it takes those that it needs.

    Raises
    ------
    KeyError
        If a tensor is missing; its argument is the name.
    ValueError
        If shapes or settings do not fit.
    """
    kind = CELLS[name]
    needed = ("weight_ih", "bias") if issubclass(kind, _MinimalCell) else ("weight_ih", "weight_hh", "bias")
    optional = {key: tensors[key] for key in ("bias_hh", "initial") if key in tensors}
    return kind(**{key: tensors[key] for key in needed}, **optional, **settings)  # type: ignore[arg-type]


def blank_cell(name: str, inputs: int, size: int, settings: Mapping[str, Setting]) -> Cell:
    """Return a cell of a type and size with NaN for every weight, in no memory."""
    nothing, rows = torch.tensor(float("nan")), CELLS[name].gates * size
    shapes = {"weight_ih": (rows, inputs), "weight_hh": (rows, size), "bias": (rows,)}
    return build_cell(name, {key: nothing.expand(*shape) for key, shape in shapes.items()}, settings)


def cell_from_torch(module: nn.RNNBase) -> Cell:
    """Return the cell with the weights of an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``."""
    names = {nn.RNN: "rnn", nn.GRU: "gru", nn.LSTM: "lstm"}
    if type(module) not in names:
        raise ValueError(f"expected an nn.RNN, nn.GRU or nn.LSTM, got {type(module).__name__}")
    return CELLS[names[type(module)]].from_torch(module)
