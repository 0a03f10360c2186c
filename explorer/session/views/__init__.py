"""What front ends draw: arrays, texts and tables, without I/O and without threads."""
