"""Kernels for CUDA tensors."""
