"""Every private part of Textual that this front end uses.

tests/explorer/tui/test_textual_internals.py checks each of them against the installed version. With
``PINKX_PLAIN_TEXTUAL=1`` the driver and the direct drawing, which need most of them, are off.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, cast

from textual.app import App
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:  # it does not load on Windows
    from textual.drivers.linux_driver import LinuxDriver


def plain_textual() -> bool:
    """Return whether the user asked for Textual's own drawing, by ``PINKX_PLAIN_TEXTUAL=1``."""
    return os.environ.get("PINKX_PLAIN_TEXTUAL", "0") not in ("", "0")


def driver_of(app: App[Any]) -> object:
    """Return the driver of an application; None before it runs."""
    return app._driver


def wrap_output(driver: LinuxDriver, wrap: Callable[[IO[str]], Any]) -> None:
    """Replace the file that a driver writes to by ``wrap`` of that file."""
    driver._file = wrap(cast("IO[str]", driver._file))


def has_writer(driver: LinuxDriver) -> bool:
    """Return whether the thread that writes to the terminal runs."""
    return driver._writer_thread is not None


def writer_queue_empty(driver: LinuxDriver) -> bool:
    """Return whether the writer thread has taken everything from its queue; True without a thread."""
    writer = driver._writer_thread
    return writer is None or writer._queue.empty()


def supports_synchronised_output(app: App[Any]) -> bool:
    """Return whether the terminal reported that it can show a group of changes at once (mode 2026)."""
    return app._sync_available


def discard_cached_lines(widget: Widget) -> None:
    """Make Textual render a widget anew the next time it draws it."""
    widget._styles_cache.clear()


def free_lines_of_closed_widgets() -> None:
    """Store Textual's pairs of background colours for all widgets together.

    It stores them for each widget, with the widget's lines, which 1,024 widgets then keep after they are closed, about
    100 kB each (https://github.com/Textualize/textual/issues/6665).
    """
    cache = type(Widget()._styles_cache)
    by_instance = vars(cache)["get_inner_outer"]
    if not isinstance(by_instance, classmethod):
        cache.get_inner_outer = classmethod(by_instance)  # type: ignore[method-assign, assignment]


def remove_watchers(app: App[Any], widget: Widget) -> None:
    """Remove the functions that a closed widget calls when the application changes; Textual keeps them, and with them
    the widget (https://github.com/Textualize/textual/issues/6666)."""
    for watchers in getattr(app, "__watchers", {}).values():
        watchers[:] = [watcher for watcher in watchers if watcher[0] is not widget]


def rendered_lines(screen: Screen[Any]) -> list[Strip]:
    """Return the lines of a screen as Textual draws them."""
    return screen._compositor.render_strips()
