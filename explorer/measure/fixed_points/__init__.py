"""Cheng, Schmid & Lange (2021), reproduced: figures 3 to 10, which claims hold, and tests of points on trajectories."""

from explorer.measure.fixed_points.verb import command

__all__ = ["command"]
