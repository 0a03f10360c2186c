"""What the user can do with a session: one controller a subject."""
