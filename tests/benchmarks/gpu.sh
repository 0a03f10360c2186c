#!/usr/bin/env bash
# Run the tests of the GPU kernels on a card, then print one table of speeds; less than five minutes in all.
# Usage: tests/benchmarks/gpu.sh [--dry-run] [arguments of pinkx bench]
# --dry-run goes through every step without a card: tests in Triton's interpreter, the table of the CPU, tiny sizes.
# A step that fails or runs out of time does not stop the others; the last lines list all, and the exit status counts
# those that failed. PINKX_IMDB names the IMDb archive, without which the last step is left out.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
python=${PYTHON:-.venv/bin/python}
command -v "$python" >/dev/null || python=$(command -v python3) || { echo "no Python: name one in PYTHON"; exit 1; }
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} TRITON_INTERPRET=0 OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} PYTHONUNBUFFERED=1
total=290 dry= chosen="benchmark or not benchmark"
if [ "${1:-}" = --dry-run ]; then
    dry=1
    export TRITON_INTERPRET=1
    shift
    set -- --device cpu --reviews 2 --turns 1 "$@"
    total=1800 chosen="not benchmark"
fi

report=()
failed=0
step() {  # step SECONDS NAME COMMAND …: at most this part of the time that is left
    local limit=$1 name=$2 start=$SECONDS status=0 left=$((total - SECONDS))
    shift 2
    [ -n "$dry" ] && limit=600
    [ "$limit" -gt "$left" ] && limit=$left
    printf '\n== %s (at most %d s)\n' "$name" "$limit"
    if [ "$limit" -lt 5 ]; then
        status=124
    else
        timeout -k 5 "$limit" "$@" || status=$?
    fi
    [ "$status" = 124 ] && echo "stopped after $limit seconds"
    [ "$status" = 0 ] || failed=$((failed + 1))
    report+=("$(printf '%-12s %-28s %4d s' "$([ "$status" = 0 ] && echo passed || echo "failed ($status)")" "$name" $((SECONDS - start)))")
}

date -u +%F
step 30 versions "$python" -c 'import platform, torch, numpy
print("Python", platform.python_version(), " torch", torch.__version__, " CUDA", torch.version.cuda, " NumPy", numpy.__version__)
import triton
print("Triton", triton.__version__)'
if [ -z "$dry" ]; then
    "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' ||
        { echo "no CUDA device: nothing to run; --dry-run goes through the steps without one"; exit 1; }
    command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
    set -- --device all "$@"
fi
tests=(
    tests/engine/kernels/test_cuda_steps.py
    tests/engine/kernels/test_cuda_dfa.py
    tests/engine/test_gpu_recording.py
    tests/engine/test_gates_by_product.py
)
on_a_card=(
    tests/engine/test_fixed_points.py::test_a_cuda_device_finds_the_same_points
    tests/engine/test_eigensystems.py
    tests/engine/live/test_stream.py::test_steps_on_cuda
    tests/engine/live/test_device_loss.py
)
# The names of the tests are printed one by one, so that a step that is stopped shows how far it came.
pytest=("$python" -m pytest -v --no-header --tb=short -p no:cacheprovider)
step 110 "tests of the kernels" "${pytest[@]}" -m "$chosen" "${tests[@]}"
step 40 "tests on a card" "${pytest[@]}" "${on_a_card[@]}"
step 130 "table of speeds" "$python" -c 'from explorer.cli import main; main()' bench "$@"
if [ -n "${PINKX_IMDB:-}" ]; then
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    step 40 "measure one-over-f" "$python" -c 'from explorer.cli import main; main()' \
        measure one-over-f --paper-only --threads 8 --out "$out"
else
    printf '\n== measure one-over-f: left out, PINKX_IMDB names no archive\n'
fi
printf '\n'
printf '%s\n' "${report[@]}"
exit "$failed"
