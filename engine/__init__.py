"""Recurrent networks, their activity and their fixed points: the library behind pinkx, without a user interface.

``import engine`` is cheap: each name loads its module, and PyTorch or numba with it, when it is first used.
docs/api.md shows the names with runnable snippets.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the same names for type checkers and editors
    from engine.activity import (
        is_dead as is_dead,
        participation_ratio as participation_ratio,
        saturation as saturation,
    )
    from engine.attribution import (
        Attribution as Attribution,
        gradient_times_input as gradient_times_input,
        integrated_gradients as integrated_gradients,
    )
    from engine.beta import measure_reviews as measure_reviews
    from engine.catalogue import (
        NetworkError as NetworkError,
        NetworkInfo as NetworkInfo,
        shipped_networks as shipped_networks,
    )
    from engine.cells import (
        Cell as Cell,
        GruCell as GruCell,
        LruCell as LruCell,
        LstmCell as LstmCell,
        MinGruCell as MinGruCell,
        MinLstmCell as MinLstmCell,
        RateCell as RateCell,
        RnnCell as RnnCell,
        cell_from_torch as cell_from_torch,
    )
    from engine.fixed_points import find_fixed_points as find_fixed_points
    from engine.fluctuation import (
        Exponents as Exponents,
        RollingExponent as RollingExponent,
        default_scales as default_scales,
        exponents as exponents,
        fluctuations as fluctuations,
        local_slopes as local_slopes,
        log_spaced_scales as log_spaced_scales,
        rolling_scales as rolling_scales,
    )
    from engine.network import Network as Network, Vocabulary as Vocabulary
    from engine.noise import power_law_noise as power_law_noise
    from engine.null import Null as Null, null_exponents as null_exponents
    from engine.points import FixedPoints as FixedPoints
    from engine.points_cache import network_points as network_points
    from engine.projection import Projection as Projection
    from engine.recording import Recording as Recording, Stepper as Stepper, record as record
    from engine.reviews import Review as Review, ReviewError as ReviewError, open_reviews as open_reviews
    from engine.rolling_traces import rolling_exponents as rolling_exponents
    from engine.spectrum import (
        SpectralExponents as SpectralExponents,
        power_spectrum as power_spectrum,
        spectral_exponents as spectral_exponents,
    )
    from engine.start_states import input_from_name as input_from_name, visited_states as visited_states
    from engine.zarr_recording import record_to_zarr as record_to_zarr

__version__ = "0.1.0"

_EXPORTS = {
    "activity": "is_dead participation_ratio saturation",
    "attribution": "Attribution gradient_times_input integrated_gradients",
    "beta": "measure_reviews",
    "catalogue": "NetworkError NetworkInfo shipped_networks",
    "cells": "Cell GruCell LruCell LstmCell MinGruCell MinLstmCell RateCell RnnCell cell_from_torch",
    "fixed_points": "find_fixed_points",
    "fluctuation": "Exponents RollingExponent default_scales exponents fluctuations local_slopes log_spaced_scales "
    "rolling_scales",
    "network": "Network Vocabulary",
    "noise": "power_law_noise",
    "null": "Null null_exponents",
    "points": "FixedPoints",
    "points_cache": "network_points",
    "projection": "Projection",
    "recording": "Recording Stepper record",
    "reviews": "Review ReviewError open_reviews",
    "rolling_traces": "rolling_exponents",
    "spectrum": "SpectralExponents power_spectrum spectral_exponents",
    "start_states": "input_from_name visited_states",
    "zarr_recording": "record_to_zarr",
}
_MODULE_OF = {name: f"engine.{module}" for module, names in _EXPORTS.items() for name in names.split()}

__all__ = sorted(["__version__", *_MODULE_OF])

if not TYPE_CHECKING:  # a checker that saw this would accept any name

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module 'engine' has no attribute {name!r}; it exports {', '.join(__all__)}")
        value = globals()[name] = getattr(import_module(_MODULE_OF[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
