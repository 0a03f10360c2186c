"""Networks of other programs: files of PyTorch, safetensors and Keras → the parts of a `engine.network.Network`.

Nothing from a file is ever run. What the file does not say is asked for in an error that names the option.
"""
