"""Every panel of the window, in the order in which they stand."""

from __future__ import annotations

from explorer.gui.panel import Panel

PANELS: tuple[type[Panel], ...] = ()
