"""The terminal face: Textual draws what the session says. Nothing here imports torch; the engine's thread does."""
