"""Jobs for the worker process, which imports this module: it must stay light."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.session.jobs import Report


def describe_process(report: Report) -> None:
    report((os.getpid(), os.getppid(), os.nice(0), os.environ["OMP_NUM_THREADS"], os.getpgid(0)))


def square(report: Report, values: NDArray[np.floating]) -> None:
    report(values**2)
    report(None)
    report("done")


def read(report: Report, network: Any, ids: NDArray[np.integer]) -> None:
    report((network.name, network.vocabulary.words, network.info, network.classify(ids)))


def fail(report: Report, *_: Any) -> None:
    raise KeyError("bad")


def die(report: Report) -> None:
    os._exit(7)


def forever(report: Report, ask: bool) -> None:
    report(os.getpid())
    while not ask or report(None):
        time.sleep(0.01)
