"""The terminal front end. Nothing here imports torch; the thread that opens the session does."""
