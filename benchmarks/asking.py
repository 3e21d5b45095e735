"""How close asking a language model comes to what the bound on concurrency allows.

    python -m benchmarks.asking

Asks a server on loopback, in a process of its own, of which three requests in ten go wrong, and
prints the ratio of the least time, in which as many requests as allowed are always under way, to
the time taken. litellm costs a few milliseconds of CPU a request (`cpu`), so that the ratio falls
where answers come faster than language models give them, and on a machine that is busy otherwise.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
import urllib.request
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import typer

from lightning_dpg.assessment.asking.ask import Asker
from lightning_dpg.assessment.asking.endpoint import load_litellm
from lightning_dpg.assessment.asking.store import AnswerStore
from lightning_dpg.config import ApiConfig
from tests.assessment.asking.openai_server import PAID, UNPAID, serve, share
from tests.assessment.asking.prompts import prompts

TIMEOUT = 5.0
KINDS = dict.fromkeys((*UNPAID, *PAID), 1.0) | {"hang": 0.1}


def run_server(pipe: Connection, latency: float, faults: float) -> None:
    """Serve until told to end."""
    with serve(faults=share(faults, 2, KINDS), latency=latency) as server:
        pipe.send(server.url)
        pipe.recv()


def measure(number: int, concurrency: int, latency: float, faults: float) -> dict[str, Any]:
    """Ask so many prompts; gives what the server counted, and seconds."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=run_server, args=(theirs, latency, faults))
    process.start()
    url = ours.recv()
    api = ApiConfig("openai/tiny", url, concurrency=concurrency, timeout=TIMEOUT, attempts=8)
    with tempfile.TemporaryDirectory() as folder, AnswerStore(Path(folder) / "s") as store:
        start, used = time.perf_counter(), time.process_time()
        answers = Asker(api, store).ask(prompts(number))
        seconds, cpu = time.perf_counter() - start, time.process_time() - used
    with urllib.request.urlopen(url.removesuffix("v1") + "counts") as response:
        counts: dict[str, Any] = json.load(response)
    ours.send("end")
    process.join()
    kinds = counts["kinds"]
    asked, slow, hung = sum(kinds.values()), kinds.get("slow", 0), kinds.get("hang", 0)
    held = latency * (asked - slow - hung) + 5 * latency * slow + TIMEOUT * hung
    unscored = sum(answer.value is None for answer in answers)
    return {
        "prompts": number,
        "requests": asked,
        "faults": asked - kinds[""],
        "unscored": unscored,
        "concurrency": concurrency,
        "cpu": cpu,
        "seconds": seconds,
        "least": held / concurrency,
        "ratio": held / concurrency / seconds,
    }


def main(
    number: int = 2000, concurrency: int = 8, latency: float = 0.3, faults: float = 0.3
) -> None:
    """Print what was measured."""
    load_litellm()  # its import, once a process, is not what is measured
    for name, value in measure(number, concurrency, latency, faults).items():
        typer.echo(f"{name:12} {value:.3f}" if isinstance(value, float) else f"{name:12} {value}")


if __name__ == "__main__":
    typer.run(main)
