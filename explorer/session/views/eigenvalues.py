"""One eigenvalue of the Jacobian in words: what its mode does from word to word."""

from __future__ import annotations

import cmath
import math

from explorer.session.views.number_format import MINUS

LONGEST = 10**6  # words; beyond it |λ| is 1 within the accuracy of the points


def eigenvalue_text(value: complex) -> str:
    """Describe an eigenvalue by its modulus, its time constant and its period.

    Examples
    --------
    >>> eigenvalue_text(0.9)
    'λ = 0.900, |λ| 0.9000: decays e-fold in 9.5 words'
    """
    modulus, angle = abs(value), abs(cmath.phase(value))
    sign = "+" if value.imag > 0 else MINUS
    text = f"{value.real:.3f}".replace("-", MINUS) + (f" {sign} {abs(value.imag):.3f}i" if value.imag else "")
    if modulus < 1e-12:
        effect = "decays within one word"
    elif (words := time_constant(value)) > LONGEST:
        effect = f"persists for over {LONGEST:,} words"
    else:
        effect = f"{'decays' if modulus < 1 else 'grows'} e-fold in {words:,.1f} words"
    period = f", period {2 * math.pi / angle:,.1f} words" if angle > 1e-9 and modulus >= 1e-12 else ""
    return f"λ = {text}, |λ| {modulus:.4f}: {effect}{period}"


def time_constant(value: complex) -> float:
    """Words in which the mode decays or grows e-fold, 1/|ln|λ||; 0 for λ = 0, ∞ for |λ| = 1."""
    modulus = abs(value)
    return 0.0 if modulus == 0 else math.inf if modulus == 1 else 1 / abs(math.log(modulus))
