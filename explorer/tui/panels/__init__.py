"""The panels of the terminal explorer."""
