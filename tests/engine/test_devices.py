"""The rule of ``--device auto``."""

from __future__ import annotations

import importlib.metadata
import re
from contextlib import nullcontext

import pytest
import torch

from engine import devices
from engine.devices import Choice, choose, or_on_the_cpu, own_stream


@pytest.fixture(autouse=True)
def nothing_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "stored_speeds", lambda: None)


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


class OutOfResources(Exception):
    """Error like that of Triton, which is no RuntimeError."""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OutOfResources("out of resource: shared memory, Required: 233472"), "out of resource: shared memory, .*"),
        (OutOfResources("at 66:20:\n    x = 1\n    ^\nunsupported"), "OutOfResources: unsupported"),
        (torch.OutOfMemoryError("CUDA out of memory"), "CUDA out of memory"),
        (AssertionError(), r"AssertionError\(\)"),
        (OSError(2, "gcc"), ".*gcc"),
    ],
    ids=["shared memory", "compilation", "memory", "no text", "compiler"],
)
def test_whatever_a_card_or_its_compiler_raises_the_cpu_computes(error: Exception, reason: str) -> None:
    def compute(device: str) -> str:
        if device != "cpu":
            raise error
        return device

    notices: list[str] = []
    assert or_on_the_cpu("cuda", compute, notices.append) == "cpu"
    (notice,) = notices
    assert re.fullmatch(rf"the GPU failed \({reason}\); the CPU computes instead", notice)


def test_a_nightly_build_of_triton_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "triton":
            raise importlib.metadata.PackageNotFoundError
        return "3.7.0+git1234"

    monkeypatch.setattr("importlib.metadata.version", version)
    assert devices.triton_version() == "3.7.0+git1234"


class Streams:
    """Fake streams that note who waits for whom."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[str] = []
        self.made = 0
        monkeypatch.setattr(devices, "_idle", [])
        monkeypatch.setattr("torch.cuda.Stream", self.make)
        monkeypatch.setattr("torch.cuda.current_stream", lambda device: Stream("current", self.events))
        monkeypatch.setattr("torch.cuda.stream", lambda stream: nullcontext())

    def make(self, device: str) -> Stream:
        self.made += 1
        return Stream("own", self.events)


class Stream:
    def __init__(self, name: str, events: list[str]) -> None:
        self.name, self.events = name, events

    def wait_stream(self, other: Stream) -> None:
        self.events.append(f"{self.name} waits for {other.name}")


def test_a_stream_waits_for_what_was_launched_before_and_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams(monkeypatch)
    for _ in range(2):
        with own_stream("cuda"):
            streams.events.append("work")
    assert streams.events == 2 * ["own waits for current", "work", "current waits for own"]
    assert streams.made == 1


def _wrong_input() -> None:
    raise ValueError("wrong input")
