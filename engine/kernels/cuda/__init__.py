"""Fast bodies for CUDA tensors."""
