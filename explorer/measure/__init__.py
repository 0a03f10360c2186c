"""The papers' tables and figures, from the command line."""
