"""The user's choices, saved in a file from one session to the next.

The file is one JSON object: ``version``; ``session``, shared by both front ends; ``terminal`` and ``window``, for one
front end each. Unusable parts are ignored and named; a file that is not a state is renamed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.files import user_folder
from engine.sources.options import DEFAULTS, ReadOptions
from engine.text import printable

if TYPE_CHECKING:
    from explorer.session.session import Session

VERSION: Final = 1
_HUGE: Final = 10**15  # no number of a state comes near; Qt and NumPy take it
LARGEST = 1 << 20  # bytes; a state has some hundreds, with the arrangement of the desktop some thousands


@dataclass(frozen=True)
class State:
    """The saved choices of the user. ``note`` is a notice to the user about the file; it is not saved."""

    session: Mapping[str, Any] = field(default_factory=dict)
    terminal: Mapping[str, Any] = field(default_factory=dict)
    window: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def state_path() -> Path:
    """Return where the state is saved."""
    return user_folder("state") / "state.json"


def load_state(path: Path | None = None) -> State:
    """Return the saved state; an empty one if there is none, or if it is unusable: then ``note`` says why."""
    path = state_path() if path is None else path
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        return _checked(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return State()
    except OSError as error:
        return State(note=f"the saved state cannot be read: {error.strerror or error}")
    except (ValueError, RecursionError) as error:
        return State(note=f"the saved state is unusable and was renamed to {_rename_broken(path)}: {str(error)[:120]}")


def save_state(state: State, path: Path | None = None) -> None:
    """Save a state.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    from engine.files import atomic_write

    path = state_path() if path is None else path
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = {name: dict(part) for name, part in asdict(state).items() if name != "note"}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({"version": VERSION, **parts}, indent=1), encoding="utf-8")


def _rename_broken(path: Path) -> str:
    """Rename an unusable file and return its new name; if that fails, its old one."""
    broken = path.with_name(path.name + ".broken")
    try:
        path.replace(broken)
    except OSError:
        return path.name
    return broken.name


def _checked(document: object) -> State:
    """Return the state in a JSON document.

    Raises
    ------
    ValueError
        If it is not one.
    """
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    if document.get("version") != VERSION:
        raise ValueError(f"it has version {document.get('version')!r}, this pinkx reads version {VERSION}")
    parts: dict[str, dict[str, Any]] = {}
    ignored = []
    for name in ("session", "terminal", "window"):
        part = document.get(name, {})
        if not isinstance(part, dict):
            ignored.append(name)
            part = {}
        checks = _SESSION if name == "session" else {}
        parts[name] = {key: value for key, value in part.items() if _plain(value) and checks.get(key, _plain)(value)}
        ignored += [f"{name} {key}" for key in part if key not in parts[name]]
    note = printable(f"unusable parts of the saved state are ignored: {', '.join(ignored)}")[:200]
    return State(**parts, note=note if ignored else "")


def _plain(value: object, depth: int = 8) -> bool:
    """Return whether every text can be encoded, every number is finite and of common size, and nesting is not deep."""
    match value:
        case bool() | None:
            return True
        case str():
            return value.isprintable() or printable(value) == value
        case int() | float():
            return -_HUGE < value < _HUGE
        case list():
            return depth > 0 and all(_plain(part, depth - 1) for part in value)
        case dict():
            return depth > 0 and all(_plain(part, depth - 1) for pair in value.items() for part in pair)
    return False


def _text(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -_HUGE < value < _HUGE


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _HUGE


def _or_none(is_valid: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or is_valid(value)


_SESSION: Mapping[str, Callable[[object], bool]] = {
    "network": _text,
    "layer": lambda value: _count(value) and value != 0,
    "direction": lambda value: value in ("forward", "backward"),
    "reviews": _or_none(_text),
    "review": _count,
    "reading": lambda value: isinstance(value, dict),
    "speed": _or_none(lambda value: _number(value) and value > 0),  # type: ignore[operator]
    **dict.fromkeys(("signal", "order", "bins", "colour_map", "contrast", "colour"), _text),
    "scaling": lambda value: isinstance(value, bool),
    "selected": _or_none(_count),
    "pins": lambda value: isinstance(value, list) and all(map(_count, value)),
    "azimuth": _number,
    "elevation": _number,
    "own_networks": lambda value: isinstance(value, list) and all(map(_text, value)),
    "introduced": lambda value: isinstance(value, bool),
}


# ---- between a state and a session -------------------------------------------------------------------------------


def captured(session: Session, state: State) -> State:
    """Return the state with the present choices of a session.

    While a recording is played, the saved network and reviews stay as they are.
    """
    snapshot, choices, view = session.stream.snapshot, session.choices, session.fixed_points.view
    saved_names = ("network", "layer", "direction", "reviews", "review", "reading")
    opened = {name: state.session[name] for name in saved_names if name in state.session}
    if not session.replaying:
        network, reviews = session.origin
        given = network is not None and Path(network).stem == snapshot.network.name
        opened = {"network": absolute(network) if network is not None and given else snapshot.network.name}
        if snapshot.network.stack is not None:
            opened |= {"layer": snapshot.network.level + 1, "direction": snapshot.network.direction}
        if reviews != "-":  # reviews from standard input cannot be opened again
            opened |= {"reviews": None if reviews is None else absolute(reviews), "review": session.index}
            if session.reading != DEFAULTS:
                opened["reading"] = asdict(session.reading)
    saved = ("signal", "selected", "order", "bins", "colour_map", "contrast", "scaling")
    return replace(
        state,
        session={
            **opened,
            "speed": snapshot.speed,
            "introduced": session.introduced,
            "own_networks": list(session.core.own_networks),
            **{name: getattr(choices, name) for name in saved},
            "pins": list(choices.pins),
            "azimuth": view.azimuth,
            "elevation": view.elevation,
            "colour": view.colour,
        },
    )


def restore(session: Session, state: State) -> None:
    """Apply the saved choices to a session, as far as its network allows."""
    from explorer.session.controllers.display import BINS, CONTRASTS, ORDERS
    from explorer.session.palette import MAPS
    from explorer.session.views.point_map import COLOURS

    saved = state.session
    session.introduced = saved.get("introduced", False)
    for path in reversed(saved.get("own_networks", ())):
        session.core.remember_network(path)
    if session.origin[0] is not None:
        session.core.remember_network(session.origin[0])
    network = session.stream.snapshot.network
    names, size = [signal.name for signal in network.signals], network.cell.size
    known = {"order": ORDERS, "bins": BINS, "colour_map": MAPS, "contrast": CONTRASTS, "scaling": (False, True)}
    chosen = {name: saved[name] for name, values in known.items() if saved.get(name) in values}
    pins = dict.fromkeys(pin for pin in saved.get("pins", ()) if pin < size)
    selected = saved.get("selected")
    selected = selected if selected is not None and selected < size else None
    session.core.choose(**chosen, pins=tuple(pins), selected=selected)
    if saved.get("signal") in names:
        session.choose_signal(saved["signal"])
    view = session.fixed_points.view
    colour = saved.get("colour")
    session.fixed_points.view = replace(view, colour=colour if colour in COLOURS else view.colour)
    turned = saved.get("azimuth", view.azimuth) - view.azimuth, saved.get("elevation", view.elevation) - view.elevation
    session.fixed_points.rotate(*turned)


def restored_reading(saved: Mapping[str, Any]) -> ReadOptions:
    """Return how the reviews of the last session were read; as by default where the saved options are unusable."""
    try:
        options = ReadOptions(**saved)
        texts = all(isinstance(each, str) for pair in options.columns.items() for each in pair)
        return options if texts and {options.header, *options.labels.values()} <= {None, True, False} else DEFAULTS
    except (TypeError, ValueError, AttributeError):
        return DEFAULTS


def absolute(path: str) -> str:
    """Return the absolute path of an existing file or a part of one (``PATH:PART``); other names stay as they are."""
    before, colon, _ = path.rpartition(":")
    return os.path.abspath(path) if os.path.exists(path) or (colon and os.path.exists(before)) else path
