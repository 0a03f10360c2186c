"""What a person chose, kept in a file from one visit to the next.

One JSON object: ``version``; ``session``, what both faces share; ``terminal`` and ``window``, what is each face's own.
A file that cannot be used is set aside, and pinkx begins as if there had been none.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from platformdirs import user_state_path

if TYPE_CHECKING:
    from explorer.session.session import Session

VERSION: Final = 1
LARGEST = 1 << 20  # bytes; a state is some hundred, with the arrangement of a window some thousand


@dataclass(frozen=True)
class State:
    """``note`` is what a person should be told of the file; it is not kept."""

    session: Mapping[str, Any] = field(default_factory=dict)
    terminal: Mapping[str, Any] = field(default_factory=dict)
    window: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def state_path() -> Path:
    """Where the state is kept."""
    return user_state_path("pinkx", appauthor=False) / "state.json"


def load_state(path: Path | None = None) -> State:
    """What was kept; an empty state where nothing was, or where it cannot be used: then ``note`` says why."""
    path = state_path() if path is None else path
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        return _checked(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return State()
    except OSError as error:
        return State(note=f"the state of the last visit cannot be read: {error.strerror or error}")
    except (ValueError, RecursionError) as error:
        return State(note=f"the state of the last visit was set aside as {_set_aside(path)}: {str(error)[:120]}")


def save_state(state: State, path: Path | None = None) -> None:
    """Keep a state.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    from engine.files import atomic_write

    path = state_path() if path is None else path
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = {name: dict(part) for name, part in asdict(state).items() if name != "note"}
    with atomic_write(path) as beside:
        beside.write_text(json.dumps({"version": VERSION, **parts}, indent=1), encoding="utf-8")


def _set_aside(path: Path) -> str:
    aside = path.with_name(path.name + ".broken")
    try:
        path.replace(aside)
    except OSError:
        return "unusable"
    return aside.name


def _checked(told: object) -> State:
    if not isinstance(told, dict):
        raise ValueError("it is no JSON object")
    if told.get("version") != VERSION:
        raise ValueError(f"it is of version {told.get('version')!r}, this pinkx knows {VERSION}")
    parts = {name: told.get(name, {}) for name in ("session", "terminal", "window")}
    for name, part in parts.items():
        if not isinstance(part, dict):
            raise ValueError(f"{name} is no JSON object")
    for name, is_one in _SESSION.items():
        if name in parts["session"] and not is_one(parts["session"][name]):
            raise ValueError(f"session: {name} cannot be {json.dumps(parts['session'][name])[:40]}")
    return State(**parts)


def _text(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _or_none(is_one: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or is_one(value)


_SESSION: Mapping[str, Callable[[object], bool]] = {
    "network": _text,
    "reviews": _or_none(_text),
    "review": _count,
    "speed": _or_none(lambda value: _number(value) and value > 0),  # type: ignore[operator]
    **dict.fromkeys(("signal", "order", "bins", "colour_map", "contrast", "colour"), _text),
    "scaling": lambda value: isinstance(value, bool),
    "selected": _or_none(_count),
    "pins": lambda value: isinstance(value, list) and all(map(_count, value)),
    "azimuth": _number,
    "elevation": _number,
}


# ---- between a state and a session -------------------------------------------------------------------------------


def remembered(session: Session, state: State) -> State:
    """The state with what a session is like now; what is opened stays as it was where a recording is played."""
    snapshot, choices, view = session.stream.snapshot, session.choices, session.fixed_points.view
    opened = {name: state.session[name] for name in ("network", "reviews", "review") if name in state.session}
    if not session.replaying:
        network, reviews = session.origin
        given = network is not None and Path(network).stem == snapshot.network.name
        opened = {"network": _absolute(network) if network is not None and given else snapshot.network.name}
        if reviews != "-":  # what came down a pipe is gone
            opened |= {"reviews": None if reviews is None else _absolute(reviews), "review": session.index}
    looked_at = ("signal", "selected", "order", "bins", "colour_map", "contrast", "scaling")
    return replace(
        state,
        session={
            **opened,
            "speed": snapshot.speed,
            **{name: getattr(choices, name) for name in looked_at},
            "pins": list(choices.pins),
            "azimuth": view.azimuth,
            "elevation": view.elevation,
            "colour": view.colour,
        },
    )


def restore(session: Session, state: State) -> None:
    """Give a session what was chosen before, as far as it suits its network."""
    from explorer.session.controllers.display import BINS, CONTRASTS, ORDERS
    from explorer.session.palette import MAPS
    from explorer.session.views.point_map import COLOURS

    told = state.session
    network = session.stream.snapshot.network
    names, size = [signal.name for signal in network.signals], network.cell.size
    known = {"order": ORDERS, "bins": BINS, "colour_map": MAPS, "contrast": CONTRASTS, "scaling": (False, True)}
    chosen = {name: told[name] for name, values in known.items() if told.get(name) in values}
    pins = dict.fromkeys(pin for pin in told.get("pins", ()) if pin < size)
    selected = told.get("selected")
    selected = selected if selected is not None and selected < size else None
    session.core.choose(**chosen, pins=tuple(pins), selected=selected)
    if told.get("signal") in names:
        session.choose_signal(told["signal"])
    view = session.fixed_points.view
    colour = told.get("colour")
    session.fixed_points.view = replace(view, colour=colour if colour in COLOURS else view.colour)
    turned = told.get("azimuth", view.azimuth) - view.azimuth, told.get("elevation", view.elevation) - view.elevation
    session.fixed_points.rotate(*turned)


def _absolute(place: str) -> str:
    """A place that is found from any folder; a name that is no file stays."""
    return os.path.abspath(place) if os.path.exists(place) else place
