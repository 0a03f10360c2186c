"""The studies of the two papers, run from the command line."""
