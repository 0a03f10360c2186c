"""Faces look the same in every test: all colours, no animations, whatever the terminal of the person who tests."""

from __future__ import annotations

import os

import textual.constants

textual.constants.COLOR_SYSTEM = "truecolor"  # pytest's plugins import Textual before an environment could be set here
textual.constants.TEXTUAL_ANIMATIONS = "none"
os.environ.pop("NO_COLOR", None)
