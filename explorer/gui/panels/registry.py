"""Every panel of the window, in the order in which they stand."""

from __future__ import annotations

from explorer.gui.panels.alpha import AlphaPanel
from explorer.gui.panels.cells import CellsPanel
from explorer.gui.panels.corpus import CorpusPanel
from explorer.gui.panels.fixed_points import FixedPointsPanel
from explorer.gui.panels.heatmap import HeatmapPanel
from explorer.gui.panels.overview import OverviewPanel
from explorer.gui.panels.panel import Panel
from explorer.gui.panels.review import ReviewPanel
from explorer.gui.panels.reviews_list import ReviewsPanel
from explorer.gui.panels.scaling import ScalingPanel
from explorer.gui.panels.spectrum import SpectrumPanel
from explorer.gui.panels.word_map import WordMapPanel

PANELS: tuple[type[Panel], ...] = (
    ReviewsPanel,
    ReviewPanel,
    HeatmapPanel,
    AlphaPanel,
    ScalingPanel,
    FixedPointsPanel,
    WordMapPanel,
    CorpusPanel,
    SpectrumPanel,
    CellsPanel,
    OverviewPanel,
)
