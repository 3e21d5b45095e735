"""The command that measures speed and memory: `bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench(
    model: Annotated[
        str, typer.Option(help="auto, smollm2, llama7b (random weights), tiny")
    ] = "auto",
    dtype: Annotated[
        list[str] | None,
        typer.Option(help="auto, bfloat16, float32; may be given again", show_default="auto"),
    ] = None,
    quantization: Annotated[
        list[str] | None,
        typer.Option(help="none, nf4; may be given again", show_default="both"),
    ] = None,
    work: Annotated[
        list[str] | None,
        typer.Option(help="prefill, decoding, training; may be given again", show_default="all"),
    ] = None,
    batch: Annotated[list[int] | None, typer.Option(help="samples; may be given again")] = None,
    tokens: Annotated[
        list[int] | None, typer.Option(help="of each sample; may be given again")
    ] = None,
    repeats: Annotated[int | None, typer.Option(help="of a case, at most; 3 or more")] = None,
    seconds: Annotated[float | None, typer.Option(help="for everything")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="a few minutes on two cores")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda")] = "auto",
    out: Annotated[Path, typer.Option(help="folder of the results")] = Path("runs/bench"),
) -> None:
    """Measure speed and memory beside the frozen model and PEFT."""
    from lightning_dpg.run.bench import Plan
    from lightning_dpg.run.bench import bench as measure

    plan = Plan(
        model=model,  # type: ignore[arg-type]
        dtypes=dtype or ("auto",),  # type: ignore[arg-type]
        quantizations=quantization or ("none", "nf4"),  # type: ignore[arg-type]
        works=work or (),  # type: ignore[arg-type]
        batches=batch or (),
        tokens=tokens or (),
        repeats=repeats,
        seconds=seconds,
        quick=quick,
        device=device,  # type: ignore[arg-type]
    )
    typer.echo(f"Results: {measure(plan, out)}")
