"""Every panel of the window, in the order in which they stand."""

from __future__ import annotations

from explorer.gui.gates import GatesPanel
from explorer.gui.panel import Panel
from explorer.gui.review import ReviewPanel
from explorer.gui.reviews_list import ReviewsPanel
from explorer.gui.rolling import RollingPanel
from explorer.gui.scaling import ScalingPanel

PANELS: tuple[type[Panel], ...] = (
    ReviewsPanel,
    ReviewPanel,
    GatesPanel,
    RollingPanel,
    ScalingPanel,
)
