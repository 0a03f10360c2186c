"""Faces look the same in every test: all colours, no animations. Textual reads these when it is first imported."""

from __future__ import annotations

import os

os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ.pop("NO_COLOR", None)
