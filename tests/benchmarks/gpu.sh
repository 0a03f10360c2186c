#!/usr/bin/env bash
# Run the tests of the GPU kernels on a card, then print one table of speeds; less than five minutes in all.
# Usage: tests/benchmarks/gpu.sh [arguments of pinkx bench]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-.venv/bin/python}
export TRITON_INTERPRET=0 PYTHONPATH=$PWD

"$python" -c 'import sys, torch; sys.exit(0 if torch.cuda.is_available() else "no CUDA device: nothing to run")'
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
date -u +%F
"$python" -m pytest -q -m "benchmark or not benchmark" \
    tests/engine/kernels/test_cuda_steps.py tests/engine/kernels/test_cuda_dfa.py tests/engine/test_gpu_recording.py \
    tests/engine/test_fixed_points.py::test_a_cuda_device_finds_the_same_points \
    tests/engine/live/test_stream.py::test_steps_on_cuda
"$python" -c 'from explorer.cli import main; main()' bench --device all "$@"
