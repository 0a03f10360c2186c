"""User interfaces of the engine: command line, terminal, desktop, the session that both share, paper studies."""
