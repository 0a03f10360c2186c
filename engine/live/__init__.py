"""The live run: one engine process writes, any number of views read."""
