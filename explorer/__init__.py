"""How people see what the engine does: the command line, the session both faces share, and the faces."""
