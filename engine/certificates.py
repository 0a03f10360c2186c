"""Certified balls: a radius around a state in which the reduced equation has exactly one root.

The test is Krawczyk's.  For a ball ‖h − ĥ‖∞ ≤ r, let A ≈ J(ĥ)⁻¹ be any matrix and let [J] enclose the Jacobian of the
reduced equation R(h) − h on the whole ball.  If

    ‖A (R(ĥ) − ĥ)‖∞ + ‖I − A [J]‖∞ r < r,

the ball holds a root, and only one.  All quantities are enclosed in float64: the gates' pre-activations by
intervals, the Jacobian as Σ_k diag([a_k]) U_k with one interval per unit and gate (of a GRU that resets before the
product as diag([a]) U_n (diag([r]) + diag([d]) U_r)), and every rounding error by an
inflation of the interval (γ_n of Higham for products; 8 units in the last place for exp and tanh).

Sources: Krawczyk, Computing 4 (1969) 187; Rump, Acta Numerica 19 (2010) 287; Higham, *Accuracy and Stability of
Numerical Algorithms* (2002), chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engine.cells import Cell, GruCell, LstmCell, MinGruCell, MinLstmCell

Array = NDArray[np.float64]

U = 2.0**-53
"""Unit roundoff of float64."""

RADII = np.logspace(-13, 0, 27)
"""Radii tried, half a decade apart; the largest is the radius of a ball that holds every state."""

_TINY = 1e-300


class Interval(NamedTuple):
    """Lower and upper ends, arrays of one shape; every operation rounds outwards."""

    low: Array
    high: Array

    def times(self, other: Interval) -> Interval:
        products = np.stack(
            [self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high]
        )
        return _outwards(products.min(axis=0), products.max(axis=0), 2)

    def plus(self, other: Interval) -> Interval:
        return _outwards(self.low + other.low, self.high + other.high, 2)

    def minus(self, other: Interval) -> Interval:
        return _outwards(self.low - other.high, self.high - other.low, 2)

    def over(self, other: Interval) -> Interval:
        """Divide by an interval of positive numbers."""
        quotients = np.stack(
            [self.low / other.low, self.low / other.high, self.high / other.low, self.high / other.high]
        )
        return _outwards(quotients.min(axis=0), quotients.max(axis=0), 2)

    @property
    def magnitude(self) -> Array:
        """The largest absolute value."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


def _outwards(low: Array, high: Array, ulps: float) -> Interval:
    return Interval(low - 2 * ulps * U * np.abs(low) - _TINY, high + 2 * ulps * U * np.abs(high) + _TINY)


def _sigmoid(z: Interval) -> Interval:
    """σ, increasing; through exp of −|z|, so that no digits cancel."""

    def at(value: Array) -> Array:
        small = np.exp(-np.abs(value))
        return np.where(value >= 0, 1, small) / (1 + small)

    return _outwards(at(z.low), at(z.high), 12)


def _tanh(z: Interval) -> Interval:
    return _outwards(np.tanh(z.low), np.tanh(z.high), 8)


def _one_minus_square(t: Interval) -> Interval:
    """1 − t² for t within [−1, 1]."""
    largest = np.minimum(t.magnitude, 1)
    smallest = np.where((t.low <= 0) & (t.high >= 0), 0, np.minimum(np.abs(t.low), np.abs(t.high)))
    bound = _outwards((1 - largest) * (1 + largest), (1 - smallest) * (1 + smallest), 4)
    return Interval(np.maximum(bound.low, 0), bound.high)


def _spread(gate: Interval) -> Interval:
    """σ (1 − σ) over an interval of σ within [0, 1]: largest at ½."""
    clipped = Interval(np.clip(gate.low, 0, 1), np.clip(gate.high, 0, 1))
    ends = np.stack([clipped.low * (1 - clipped.low), clipped.high * (1 - clipped.high)])
    top = np.where((clipped.low <= 0.5) & (clipped.high >= 0.5), 0.25, ends.max(axis=0))
    bound = _outwards(ends.min(axis=0), top, 4)
    return Interval(np.maximum(bound.low, 0), bound.high)


def _hard_sigmoid(slope: float) -> tuple[Value, Slope]:
    def value(z: Interval) -> Interval:
        line = _outwards(slope * z.low + 0.5, slope * z.high + 0.5, 4)
        return Interval(np.clip(line.low, 0, 1), np.clip(line.high, 0, 1))

    def derivative(z: Interval, y: Interval) -> Interval:
        steep = Interval(np.where((y.low > 0) & (y.high < 1), slope, 0), np.where((y.high > 0) & (y.low < 1), slope, 0))
        return _outwards(steep.low, steep.high, 1)

    return value, derivative


def _shifted(z: Interval) -> Interval:
    """z + ½ above 0 and σ below."""
    below = _sigmoid(z)
    line = _outwards(z.low + 0.5, z.high + 0.5, 2)
    return Interval(np.where(z.low >= 0, line.low, below.low), np.where(z.high >= 0, line.high, below.high))


def _shifted_slope(z: Interval, y: Interval) -> Interval:
    below = _spread(_sigmoid(Interval(np.minimum(z.low, 0), np.minimum(z.high, 0))))
    return Interval(np.where(z.low >= 0, 1, below.low), np.where(z.high >= 0, 1, below.high))


Value = Callable[[Interval], Interval]
Slope = Callable[[Interval, Interval], Interval]
_FUNCTIONS: Final[dict[str, tuple[Value, Slope]]] = {
    "sigmoid": (_sigmoid, lambda z, y: _spread(y)),
    "tanh": (_tanh, lambda z, y: _one_minus_square(y)),
    "relu": (
        lambda z: Interval(np.maximum(z.low, 0), np.maximum(z.high, 0)),
        lambda z, y: Interval((z.low > 0).astype(np.float64), (z.high > 0).astype(np.float64)),
    ),
    "linear": (lambda z: z, lambda z, y: Interval(np.ones_like(z.low), np.ones_like(z.high))),
    "softplus": (
        lambda z: _outwards(np.logaddexp(z.low, 0), np.logaddexp(z.high, 0), 16),
        lambda z, y: _sigmoid(z),
    ),
    "shifted": (_shifted, _shifted_slope),
    "hard_sigmoid_5": _hard_sigmoid(1 / 5),
    "hard_sigmoid_6": _hard_sigmoid(1 / 6),
}
"""Values and slopes over an interval. At a kink the slope is every value between both sides (Clarke's derivative), with
which Krawczyk's test holds too."""


class _Layer:
    """The weights of one cell under one input, and its reduced equation in intervals."""

    def __init__(self, cell: Cell, x: Array) -> None:
        weight_ih, weight_hh = (w.detach().cpu().double().numpy() for w in (cell.weight_ih, cell.weight_hh))
        bias = cell.bias.detach().cpu().double().numpy()
        self.cell = cell
        self.weights = np.split(weight_hh, cell.gates)
        self.row_sums = [np.abs(one).sum(axis=1) * (1 + _gamma(one.shape[1])) for one in self.weights]
        fixed, size = weight_ih @ x + bias, np.abs(weight_ih) @ np.abs(x) + np.abs(bias)
        error = _gamma(len(x) + 2) * size
        self.inputs = [
            Interval(*ends)
            for ends in zip(np.split(fixed - error, cell.gates), np.split(fixed + error, cell.gates), strict=True)
        ]
        self.hidden_bias = cell.bias_hn.detach().cpu().double().numpy() if isinstance(cell, GruCell) else None

    def enclose(self, h: Array, radius: float) -> tuple[Interval, Array, Array]:
        """Return R over the ball, a matrix near its Jacobian, and bounds of the rows of their difference, (n,) sums."""
        n = len(h)
        if isinstance(self.cell, GruCell) and self.cell.reset_before:
            return self._reset_before(h, radius)
        image, parts = self.evaluate(h, radius)
        rounding, centre = _gamma(n + 4 + len(parts)), np.zeros((n, n))
        # Only row sums of the half-widths and of the absolute values enter the norm.
        spread = np.full(n, 3 * rounding)
        for gate, a in parts:
            weight = self.weights[gate]
            centre += ((a.low + a.high) / 2)[:, None] * weight
            total = self.row_sums[gate]
            spread += ((a.high - a.low) / 2 * (1 + 4 * U) + 3 * rounding * a.magnitude) * total
        return image, centre, spread

    def _reset_before(self, h: Array, radius: float) -> tuple[Interval, Array, Array]:
        """n = φ(W x + b + U_n (r ⊙ h)), whose Jacobian is diag(a) U_n (diag(r) + diag(d) U_r), d = h σ'."""
        n = len(h)
        (gate, gate_slope), (value, value_slope) = self._functions("gate"), self._functions("activation")
        around = _outwards(h - radius, h + radius, 2)
        zr = self.inputs[0].plus(self.recurrent(0, h, radius))
        r = gate(zr)
        zn = self.inputs[2].plus(_product(self.weights[2], r.times(around)))
        out = value(zn)
        a, d = value_slope(zn, out), around.times(gate_slope(zr, r))
        middles = [(one.low + one.high) / 2 for one in (a, r, d)]
        inner = middles[2][:, None] * self.weights[0]
        inner.flat[:: n + 1] += middles[1]
        centre = middles[0][:, None] * (self.weights[2] @ inner)
        absolute, total = np.abs(self.weights[2]) * (1 + _gamma(n)), self.row_sums[0]
        half = [(one.high - one.low) / 2 * (1 + 4 * U) for one in (a, r, d)]
        size = absolute @ (r.magnitude + d.magnitude * total)  # bounds the rows of |U_n| |inner|
        spread = half[0] * size + a.magnitude * (absolute @ (half[1] + half[2] * total))
        rounding = 3 * _gamma(2 * n + 8)
        return out, centre, (spread + rounding * (1 + a.magnitude * size)) * (1 + _gamma(2 * n + 8))

    def recurrent(self, gate: int, h: Array, radius: float) -> Interval:
        """U_gate h over the ball."""
        weight = self.weights[gate]
        absolute = np.abs(weight)
        middle = weight @ h
        around = absolute.sum(axis=1) * radius * (1 + 4 * _gamma(len(h))) + 2 * _gamma(len(h) + 1) * (
            absolute @ np.abs(h)
        )
        return _outwards(middle - around, middle + around, 2)

    def evaluate(self, h: Array, radius: float) -> tuple[Interval, list[tuple[int, Interval]]]:
        """R over the ball, and its Jacobian as (gate, coefficient of U_gate) pairs."""
        match self.cell:
            case GruCell():
                return self._gru(h, radius)
            case LstmCell():
                return self._lstm(h, radius)
            case MinGruCell() | MinLstmCell():  # n(x) does not depend on h
                return self._functions("activation")[0](self.inputs[-1]), []
        value, slope = self._functions("activation")
        z = self.inputs[0].plus(self.recurrent(0, h, radius))
        out = value(z)
        return out, [(0, slope(z, out))]

    def _functions(self, key: str) -> tuple[Value, Slope]:
        return _FUNCTIONS[self.cell.function(key).name]

    def _gru(self, h: Array, radius: float) -> tuple[Interval, list[tuple[int, Interval]]]:
        assert self.hidden_bias is not None
        (gate, gate_slope), (value, value_slope) = self._functions("gate"), self._functions("activation")
        zr = self.inputs[0].plus(self.recurrent(0, h, radius))
        r = gate(zr)
        hidden = self.recurrent(2, h, radius).plus(Interval(self.hidden_bias, self.hidden_bias))
        zn = self.inputs[2].plus(r.times(hidden))
        out = value(zn)
        slope = value_slope(zn, out)
        return out, [(2, slope.times(r)), (0, slope.times(hidden).times(gate_slope(zr, r)))]

    def _lstm(self, h: Array, radius: float) -> tuple[Interval, list[tuple[int, Interval]]]:
        gate, gate_slope = self._functions("gate")
        (value, value_slope), (output, output_slope) = self._functions("activation"), self._functions("output")
        zi, zf, zg, zo = (self.inputs[k].plus(self.recurrent(k, h, radius)) for k in range(4))
        i, f, g, o = gate(zi), gate(zf), value(zg), gate(zo)
        forgotten = gate(Interval(-zf.high, -zf.low))  # 1 − f
        if self.cell.function("gate").name != "sigmoid":
            forgotten = Interval(np.maximum(forgotten.low, 1e-9), np.maximum(forgotten.high, 1e-9))
        c = i.times(g).over(forgotten)
        out = output(c)
        slope = o.times(output_slope(c, out))
        if self.cell.function("gate").name == "sigmoid":
            of_i, of_f = c.times(gate(Interval(-zi.high, -zi.low))), c.times(f)
        else:
            of_i = gate_slope(zi, i).times(g).over(forgotten)
            of_f = c.times(gate_slope(zf, f)).over(forgotten)
        return o.times(out), [
            (0, slope.times(of_i)),
            (1, slope.times(of_f)),
            (2, slope.times(i).times(value_slope(zg, g)).over(forgotten)),
            (3, gate_slope(zo, o).times(out)),
        ]


def certified_radius(cell: Cell, x: Tensor, h: Tensor) -> tuple[Array, Array]:
    """Return for every root the radii of balls that hold exactly one root.

    Parameters
    ----------
    cell : Cell
        Its weights are taken as exact float64 numbers.
    x : (P, inputs) tensor
        The constant input of each point.
    h : (P, n) tensor
        Roots of the reduced equation, as close as float64 allows.

    Returns
    -------
    nearest : (P,) array
        The smallest radius tried (maximum norm, in h) within which a root is proved to exist; NaN where none is.
    unique : (P,) array
        The largest radius tried in which that root is proved to be the only one; NaN where none is.  An eigenvalue
        close to 1 makes both fail.
    """
    nearest, unique = np.full(len(h), np.nan), np.full(len(h), np.nan)
    layers: dict[bytes, _Layer] = {}
    for k, (constant, state) in enumerate(zip(x.cpu().double().numpy(), h.cpu().double().numpy(), strict=True)):
        layer = layers.setdefault(constant.tobytes(), _Layer(cell, constant))
        nearest[k], unique[k] = _proved(layer, state) or (np.nan, np.nan)
    return nearest, unique


def _proved(layer: _Layer, h: Array) -> tuple[float, float] | None:
    """The smallest and the largest radius for which Krawczyk's test holds."""
    n = len(h)
    image, middle, _ = layer.enclose(h, 0.0)
    try:
        inverse = np.linalg.inv(middle - np.eye(n))
    except np.linalg.LinAlgError:
        return None
    absolute = np.abs(inverse)
    residual = image.minus(Interval(h, h)).magnitude
    newton = float((absolute @ residual).max()) * (1 + _gamma(n + 2))

    def contraction(radius: float) -> float:
        """‖I − A [J]‖∞, bounded: the middle's defect, the intervals' half-widths, and rounding."""
        _, centre, spread = layer.enclose(h, radius)
        defect = inverse @ (centre - np.eye(n))
        defect.flat[:: n + 1] -= 1
        rows = np.abs(defect).sum(axis=1) + absolute @ spread
        return float(rows.max()) * (1 + 2 * _gamma(2 * n + 4))

    def holds(radius: float) -> bool:
        return radius > newton and newton + contraction(radius) * radius < radius

    # ‖I − A [J]‖ grows with the radius, so that the test holds for one stretch of radii.
    first = next((k for k, radius in enumerate(RADII) if holds(float(radius))), None)
    if first is None:
        return None
    low, high = first, len(RADII)
    while high - low > 1:
        middle_row = (low + high) // 2
        low, high = (middle_row, high) if holds(float(RADII[middle_row])) else (low, middle_row)
    return float(RADII[first]), float(RADII[low])


def _product(weight: Array, vector: Interval) -> Interval:
    """Weight times an interval vector."""
    absolute, middle = np.abs(weight), (vector.low + vector.high) / 2
    half = (vector.high - vector.low) / 2
    n = len(middle)
    around = absolute @ (half * (1 + 4 * U) + 4 * U * np.abs(middle)) * (1 + 4 * _gamma(n))
    around += 2 * _gamma(n + 1) * (absolute @ np.abs(middle))
    product = weight @ middle
    return _outwards(product - around, product + around, 2)


def _gamma(n: int) -> float:
    """γ_n = n u / (1 − n u), the relative error bound of a sum of n rounded terms."""
    return n * U / (1 - n * U)
