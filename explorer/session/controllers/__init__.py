"""Controllers of the user's actions on a session: one per subject, each given the core and its collaborators."""
