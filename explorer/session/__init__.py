"""What the two front ends share: one live run, what the user can do with it, and its views. Imports no toolkit."""
