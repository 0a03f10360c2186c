"""What one eigenvalue says, in words."""

from __future__ import annotations

import cmath
import math

LONGEST = 10**6  # words; beyond it |λ| is 1 as far as anybody can tell


def in_words(value: complex) -> str:
    """An eigenvalue of the map from word to word: its modulus, its time constant, and how it turns.

    Examples
    --------
    >>> in_words(0.9)
    'λ = 0.900, |λ| 0.9000: shrinks e-fold in 9.5 words'
    """
    size, angle = abs(value), abs(cmath.phase(value))
    name = f"{value.real:.3f}" + (f" {'+' if value.imag > 0 else '-'} {abs(value.imag):.3f}i" if value.imag else "")
    if size < 1e-12:
        does = "forgotten at once"
    elif (time := time_constant(value)) > LONGEST:
        does = f"kept for over {LONGEST:,} words"
    else:
        does = f"{'shrinks' if size < 1 else 'grows'} e-fold in {time:,.1f} words"
    turns = f", turns once in {2 * math.pi / angle:,.1f} words" if angle > 1e-9 and size >= 1e-12 else ""
    return f"λ = {name}, |λ| {size:.4f}: {does}{turns}"


def time_constant(value: complex) -> float:
    """Words in which the mode shrinks or grows e-fold, 1/|ln|λ||; 0 for λ = 0, ∞ for |λ| = 1."""
    size = abs(value)
    return 0.0 if size == 0 else math.inf if size == 1 else 1 / abs(math.log(size))
