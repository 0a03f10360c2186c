"""The rule of ``--device auto``."""

from __future__ import annotations

import pytest

from engine import devices
from engine.devices import Choice, choose, or_on_the_cpu


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cuda_problem", lambda: "")
    monkeypatch.setattr(devices, "kernel_problem", lambda: "")


@pytest.mark.usefixtures("gpu")
def test_auto_takes_the_gpu_where_it_is_faster() -> None:
    assert choose("auto", "reviews") == Choice("cuda", "many reviews at once are faster on the GPU")
    assert choose("auto", "points").device == "cuda"
    live = choose("auto", "live")
    assert (live.device, "have not been timed" in live.reason) == ("cpu", True)
    assert choose("cpu", "reviews").device == "cpu"
    assert choose("cuda", "live").device == "cuda"


def test_without_triton_reviews_stay_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cuda_problem", lambda: "")
    monkeypatch.setattr(devices, "kernel_problem", lambda: "Triton is not installed")
    assert choose("auto", "reviews") == Choice("cpu", "Triton is not installed")
    assert choose("auto", "points").device == "cuda"


def test_cuda_without_a_card_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.version.cuda", None)
    assert choose("auto", "points").device == "cpu"
    with pytest.raises(ValueError, match="--device cuda: PyTorch .* is a CPU build; use --device cpu"):
        choose("cuda", "reviews")


def test_an_old_triton_a_missing_compiler_or_an_old_card_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cuda_problem", lambda: "")
    monkeypatch.setattr("importlib.metadata.version", lambda name: "3.2.0")
    assert devices.kernel_problem() == "Triton 3.2.0 is too old for the GPU kernels; expected 3.6 or newer"
    monkeypatch.setattr("importlib.metadata.version", lambda name: "3.8.0")
    monkeypatch.delenv("CC", raising=False)
    with monkeypatch.context() as without:
        without.setattr("shutil.which", lambda name: None)
        assert devices.kernel_problem().startswith("Triton finds no C compiler for its launchers; install gcc or clang")
    monkeypatch.setenv("CC", "gcc")
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: (7, 5))
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "Tesla T4")
    assert devices.kernel_problem() == "Tesla T4 has compute capability 7.5; the GPU kernels need 8.0"


def test_a_gpu_that_fails_leaves_the_work_to_the_cpu() -> None:
    def compute(device: str) -> str:
        if device != "cpu":
            raise RuntimeError("CUDA error: the device was lost\nmore lines")
        return device

    with pytest.warns(RuntimeWarning, match=r"the GPU failed \(CUDA error: the device was lost\); the CPU computes"):
        assert or_on_the_cpu("cuda", compute) == "cpu"
    assert or_on_the_cpu("cpu", compute) == "cpu"
    with pytest.raises(ValueError, match="wrong input"):
        or_on_the_cpu("cuda", lambda on: _wrong_input())


def _wrong_input() -> None:
    raise ValueError("wrong input")
