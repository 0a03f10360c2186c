"""One module per verb of the command line, each with a click command named ``command``."""
