"""Chong & Ling (2024), reproduced: every table and figure, controls that the paper lacks, and which claims hold."""

from explorer.measure.one_over_f.verb import command

__all__ = ["command"]
