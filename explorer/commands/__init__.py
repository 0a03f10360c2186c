"""One module for each verb of the command line; each holds one click command named ``command``."""
