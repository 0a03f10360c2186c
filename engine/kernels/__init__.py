"""The numerical kernels: CPU (numba), CUDA (PyTorch), and a reference in plain NumPy."""
