"""View models that the front ends draw: arrays, texts and tables, without I/O and without threads."""
