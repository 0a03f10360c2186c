"""Every panel of the window, in the order in which they stand."""

from __future__ import annotations

from explorer.gui.cells import CellsPanel
from explorer.gui.gates import GatesPanel
from explorer.gui.overview import OverviewPanel
from explorer.gui.panel import Panel
from explorer.gui.points import PointsPanel
from explorer.gui.population import PopulationPanel
from explorer.gui.review import ReviewPanel
from explorer.gui.reviews_list import ReviewsPanel
from explorer.gui.rolling import RollingPanel
from explorer.gui.scaling import ScalingPanel
from explorer.gui.spectrum import SpectrumPanel
from explorer.gui.word_map import WordMapPanel

PANELS: tuple[type[Panel], ...] = (
    ReviewsPanel,
    ReviewPanel,
    GatesPanel,
    RollingPanel,
    ScalingPanel,
    PointsPanel,
    WordMapPanel,
    PopulationPanel,
    SpectrumPanel,
    CellsPanel,
    OverviewPanel,
)
