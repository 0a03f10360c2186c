#!/usr/bin/env bash
# Run the tests of the GPU kernels on a card, then print one table of speeds; less than five minutes in all.
# Usage: tests/benchmarks/gpu.sh [--dry-run] [arguments of pinkx bench]
# --dry-run goes through every step without a card: tests in Triton's interpreter, the table of the CPU, tiny sizes.
# A step that fails does not stop the others; the last lines list all, and the exit status counts those that failed.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
python=${PYTHON:-.venv/bin/python}
command -v "$python" >/dev/null || python=$(command -v python3) || { echo "no Python: name one in PYTHON"; exit 1; }
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} TRITON_INTERPRET=0 OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
limit=140 dry= chosen="benchmark or not benchmark"
if [ "${1:-}" = --dry-run ]; then
    dry=1
    export TRITON_INTERPRET=1
    shift
    set -- --device cpu --reviews 2 --turns 1 "$@"
    limit=600 chosen="not benchmark"
fi

report=()
failed=0
step() {  # step NAME COMMAND …
    local name=$1 start=$SECONDS status=0
    shift
    printf '\n== %s\n' "$name"
    timeout "$limit" "$@" || status=$?
    [ "$status" = 124 ] && echo "stopped after $limit seconds"
    [ "$status" = 0 ] || failed=$((failed + 1))
    report+=("$(printf '%-12s %-28s %4d s' "$([ "$status" = 0 ] && echo passed || echo "failed ($status)")" "$name" $((SECONDS - start)))")
}

date -u +%F
step versions "$python" -c 'import platform, torch, numpy
print("Python", platform.python_version(), " torch", torch.__version__, " CUDA", torch.version.cuda, " NumPy", numpy.__version__)
import triton
print("Triton", triton.__version__)'
if [ -z "$dry" ]; then
    "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' ||
        { echo "no CUDA device: nothing to run; --dry-run goes through the steps without one"; exit 1; }
    command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
    set -- --device all "$@"
fi
tests=(tests/engine/kernels/test_cuda_steps.py tests/engine/kernels/test_cuda_dfa.py tests/engine/test_gpu_recording.py)
on_a_card=(
    tests/engine/test_fixed_points.py::test_a_cuda_device_finds_the_same_points
    tests/engine/test_eigensystems.py
    tests/engine/live/test_stream.py::test_steps_on_cuda
    tests/engine/live/test_device_loss.py
)
step "tests of the kernels" "$python" -m pytest -q -p no:cacheprovider -m "$chosen" "${tests[@]}"
step "tests on a card" "$python" -m pytest -q -p no:cacheprovider "${on_a_card[@]}"
step "table of speeds" "$python" -c 'from explorer.cli import main; main()' bench "$@"
printf '\n'
printf '%s\n' "${report[@]}"
exit "$failed"
