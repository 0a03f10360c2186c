"""Saving panels as pictures and tables."""
