"""Custom keys: a TOML file of ``action-id = "key"`` or ``action-id = ["key", "another"]``.

Keys are written as the table of actions writes them (``shift+left``, ``question_mark``), or as the character (``"?"``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from engine.files import user_folder
from engine.text import FileError
from explorer.session.actions import ACTIONS, GROUPS, SIGNS, TERMINAL_ACTIONS, WINDOW_ACTIONS, Action

Keys = Mapping[str, tuple[str, ...]]

ALL_ACTIONS: Final = (*ACTIONS, *WINDOW_ACTIONS, *TERMINAL_ACTIONS)
FOR_WINDOW: Final = (*ACTIONS, *WINDOW_ACTIONS)
FOR_TERMINAL: Final = (*ACTIONS, *TERMINAL_ACTIONS)
RESERVED: Final = ("tab", "shift+tab", "enter", "ctrl+c", "ctrl+q")  # move the focus, choose, quit from anywhere
NAMED: Final = (
    "left", "right", "up", "down", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace", "space",
    "escape", *(f"f{number}" for number in range(1, 25)),
)  # fmt: skip
_MODIFIERS: Final = ("ctrl", "alt", "shift")
_NAMES: Final = {sign: name for name, sign in SIGNS.items()}


class KeysError(FileError):
    """A file of keys cannot be used. The message names the file, the line, and what is allowed."""


def keys_path() -> Path:
    """Return where the file of keys is looked for."""
    return user_folder("config") / "keys.toml"


def load_keys(path: Path | None = None) -> Keys:
    """Return the keys in a file, by action. Without a path, `keys_path` is read if it exists.

    Raises
    ------
    KeysError
        If the file cannot be read, or an entry is not allowed.
    """
    if path is None and not keys_path().exists():
        return {}
    path = keys_path() if path is None else path
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise KeysError(f"{path}: the keys cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise KeysError(f'{path} is not TOML: {error}; expected lines such as play = "space"') from None
    keys: dict[str, tuple[str, ...]] = {}
    for name, value in table.items():
        place = f"{path}{_line(text, name)}"
        try:
            keys[name] = _entry(name, value)
            _refuse_twice(name, keys)
        except ValueError as error:
            raise KeysError(f"{place}: {error}") from None
    for name in keys:  # only now, because an action may take a key that a later entry gives up
        if clash := _clash(name, keys):
            raise KeysError(f"{path}{_line(text, name)}: {clash}")
    return keys


def actions_with(keys: Keys, actions: Sequence[Action] = ACTIONS) -> tuple[Action, ...]:
    """Return the table of actions with these keys."""
    return tuple(replace(action, keys=keys.get(action.id, action.keys)) for action in actions)


def as_toml(actions: Iterable[Action]) -> str:
    """Return the table of actions as a file of keys."""
    lines = ["# Keys of pinkx. Change some lines, delete the others, and save the file as", f"# {keys_path()}"]
    actions = list(actions)
    for group in GROUPS:
        lines += ["", f"# {group}"]
        for action in actions:
            if action.group == group:
                keys = ", ".join(f'"{key}"' for key in action.keys)
                entry = f"{action.id} = {keys if len(action.keys) == 1 else f'[{keys}]'}"
                lines.append(f"{entry:<44} # {action.help}")
    return "\n".join(lines) + "\n"


def key_named(written: str) -> str:
    """Return a key as the table of actions writes it.

    Raises
    ------
    ValueError
        If there is no such key. The message says how keys are written.
    """
    before, plus = (written[:-1], "+") if written == "+" or written.endswith("++") else (written, "")
    *modifiers, last = [*before.split("+")[:-1], plus] if plus else before.split("+")
    if last in _NAMES:
        named = _NAMES[last]
    elif (len(last) == 1 and last.isalnum()) or last in (*NAMED, *SIGNS, "tab", "enter"):
        named = last
    else:
        raise ValueError(
            f'there is no key {written!r}; a key is a character such as "k", "K" or "?", or one of '
            f"{', '.join(NAMED[:13])}, f1 to f24, with ctrl+, alt+ or shift+ before it"
        )
    if len(set(modifiers)) < len(modifiers) or set(modifiers) - set(_MODIFIERS):
        raise ValueError(f"{written!r}: only ctrl+, alt+ and shift+ may come before a key, each once")
    if modifiers and len(last) == 1 and (last.isupper() or "shift" in modifiers):
        raise ValueError(f'{written!r}: write the character that is typed, such as "K" for shift and k')
    return "+".join([*(modifier for modifier in _MODIFIERS if modifier in modifiers), named])


def _entry(name: str, value: object) -> tuple[str, ...]:
    if name not in {action.id for action in ALL_ACTIONS}:
        near = get_close_matches(name, [action.id for action in ALL_ACTIONS], 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"no action {name!r}; {hint}`pinkx keys` lists them all")
    written = [value] if isinstance(value, str) else value
    if not isinstance(written, list) or not written or not all(isinstance(key, str) for key in written):
        raise ValueError(f'{name} needs a key or a list of keys, such as {name} = "k"')
    keys = tuple(dict.fromkeys(map(key_named, written)))
    own = next(action.keys for action in ALL_ACTIONS if action.id == name)
    if taken := [key for key in keys if key in RESERVED and key not in own]:
        raise ValueError(f"{taken[0]} is reserved: {', '.join(RESERVED)} cannot be assigned")
    return keys


def _refuse_twice(name: str, keys: Keys) -> None:
    for other, taken in keys.items():
        if (
            other != name
            and _meet(name, other)
            and (both := [key for key in keys[name] if key in taken and key not in RESERVED])
        ):
            raise ValueError(f"{both[0]} is the key of both {other} and {name}; a key can have one action only")


def _meet(name: str, other: str) -> bool:
    """Return whether some front end has both actions."""
    return any({name, other} <= {action.id for action in table} for table in (FOR_WINDOW, FOR_TERMINAL))


def _clash(name: str, keys: Keys) -> str:
    """Return the conflict with the default key of an action that the file does not list, or ""."""
    for action in ALL_ACTIONS:
        if (
            action.id not in keys
            and _meet(name, action.id)
            and (both := [key for key in keys[name] if key in action.keys])
        ):
            return f"{both[0]} is already the key of {action.id}: give {action.id} another key, too"
    return ""


def _line(text: str, name: str) -> str:
    """Return ``, line 3`` for an entry in that line; "" if it is not found."""
    found = re.search(rf"^[ \t]*[\[\"']?{re.escape(name)}[\"']?[ \t]*[=.\]]", text, re.MULTILINE)
    return f", line {text.count(chr(10), 0, found.start()) + 1}" if found else ""
