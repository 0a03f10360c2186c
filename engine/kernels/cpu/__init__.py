"""Fast CPU bodies, compiled by numba."""
