"""What the user can do with a session: one controller per subject, each given the core and its collaborators."""
