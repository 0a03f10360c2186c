"""Code that the two front ends share: one live run, the user's actions on it, and its views. Imports no toolkit."""
