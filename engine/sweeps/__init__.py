"""Sweeps: many networks trained and measured side by side, and the table of their results."""
