"""Networks of other programs: files of PyTorch, safetensors and Keras → the parts of an `engine.network.Network`.

No code in a file is ever run. If the file leaves something open, an error names the option to give.
"""
