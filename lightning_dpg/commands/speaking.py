"""Commands that let a trained checkpoint speak: `generate`, `chat`, `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from lightning_dpg.adapters.cast import make_blend, read_cast
from lightning_dpg.adapters.parts import Blend
from lightning_dpg.errors import UserError
from lightning_dpg.records import Profile

Experiment = Annotated[str, typer.Option(help="take the checkpoint of this experiment's last run")]
Checkpoint = Annotated[Path | None, typer.Option(help="take this checkpoint instead")]
Temperature = Annotated[float | None, typer.Option(min=0.0, help="0 takes the likeliest token")]
MaxNewTokens = Annotated[int | None, typer.Option(min=1, help="longest reply, in tokens")]
Oceans = Annotated[
    list[str] | None,
    typer.Option(
        "--ocean",
        help="openness, conscientiousness, extraversion, agreeableness, neuroticism: five scores "
        "from -5 to 5, such as 4,-2,3,0,-4; given again, it makes a blend",
        show_default=False,
    ),
]
Characters = Annotated[
    list[str] | None,
    typer.Option(
        "--character",
        help="who the character is, in a sentence or two; one for each --ocean",
        show_default=False,
    ),
]
Weights = Annotated[
    list[float] | None,
    typer.Option("--weight", help="of each --ocean in the blend", show_default="equal parts"),
]
Strength = Annotated[float, typer.Option(help="what the adapter is multiplied by")]
Personas = Annotated[
    Path | None,
    typer.Option(
        help="a CSV of personas: name, the five traits, and if you like character, weight, "
        "strength; lines of one name are blended",
        show_default=False,
    ),
]


def generate(
    prompt: Annotated[str, typer.Option(help="what is said to the character")],
    ocean: Oceans = None,
    character: Characters = None,
    weight: Weights = None,
    strength: Strength = 1.0,
    personas: Personas = None,
    experiment: Experiment = "dpg_smollm2",
    checkpoint: Checkpoint = None,
    seed: Annotated[int, typer.Option(help="of the sampling")] = 0,
    temperature: Temperature = None,
    max_new_tokens: MaxNewTokens = None,
) -> None:
    """Answer in character: as one persona, as a blend, or as everybody in a table."""
    blends = _blends(ocean, character, weight, strength, personas)
    from lightning_dpg import runs
    from lightning_dpg.run import reply
    from lightning_dpg.run.loading import checkpoint_of

    path = checkpoint or checkpoint_of(runs.latest_run(experiment))
    given = {"temperature": temperature, "max_new_tokens": max_new_tokens}
    overrides = {name: value for name, value in given.items() if value is not None}
    replies = reply.generate(path, blends, prompt, seed, overrides)
    for blend, text in zip(blends, replies, strict=True):
        typer.echo(f"{blend.name}: {text}" if personas else text)


def chat(
    ocean: Annotated[
        str | None,
        typer.Option(help="five scores such as 4,-2,3,0,-4", show_default="0,0,0,0,0"),
    ] = None,
    character: Annotated[str | None, typer.Option(help="who the character is")] = None,
    name: Annotated[str | None, typer.Option(help="what the character is called")] = None,
    strength: Annotated[float | None, typer.Option(help="of the personality")] = None,
    experiment: Annotated[
        str,
        typer.Option(
            help="take the checkpoint of this experiment's last run",
            show_default="dpg_smollm2, or the one of --resume",
        ),
    ] = "",
    checkpoint: Checkpoint = None,
    seed: Annotated[int | None, typer.Option(help="of the first reply")] = None,
    temperature: Temperature = None,
    max_new_tokens: MaxNewTokens = None,
    transcript: Annotated[
        Path | None, typer.Option(help="a new file", show_default="chats/<date-time>.json")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="go on with this transcript")] = None,
) -> None:
    """Converse in character; /help lists what can be changed in the middle."""
    profile = None if ocean is None else Profile.parse(ocean)
    from lightning_dpg import runs
    from lightning_dpg.run import chat as talk
    from lightning_dpg.run.loading import checkpoint_of

    if checkpoint is None and resume is not None and not experiment:
        checkpoint = talk.spoken_by(resume)
    talk.chat(
        checkpoint or checkpoint_of(runs.latest_run(experiment or "dpg_smollm2")),
        profile=profile,
        description=character,
        name=name,
        strength=strength,
        seed=seed,
        temperature=temperature,
        max_new_tokens=max_new_tokens,
        transcript=transcript,
        resume=resume,
    )


def export(
    out: Annotated[
        Path, typer.Option(help="folder of the adapter; with several, of a folder for each name")
    ],
    ocean: Oceans = None,
    character: Characters = None,
    weight: Weights = None,
    strength: Strength = 1.0,
    personas: Personas = None,
    experiment: Experiment = "dpg_smollm2",
    checkpoint: Checkpoint = None,
    dtype: Annotated[
        Literal["float32", "float16", "bfloat16"], typer.Option(help="of the numbers in the files")
    ] = "float32",
    base: Annotated[
        str | None,
        typer.Option(
            help="name or folder of the base model to write down",
            show_default="the checkpoint's own",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="overwrite adapters that this command wrote")
    ] = False,
) -> None:
    """Write personas as adapters that PEFT and vLLM load."""
    blends = _blends(ocean, character, weight, strength, personas, out.resolve().name)
    from lightning_dpg import runs
    from lightning_dpg.run.export import export as run_export
    from lightning_dpg.run.loading import checkpoint_of

    path = checkpoint or checkpoint_of(runs.latest_run(experiment))
    folders = run_export(
        path,
        blends,
        out,
        dtype=dtype,
        base=base,
        overwrite=force,
        named=personas is not None,
    )
    for folder in folders:
        typer.echo(f"Adapter: {folder}")


def _blends(
    ocean: list[str] | None,
    character: list[str] | None,
    weight: list[float] | None,
    strength: float,
    personas: Path | None,
    name: str = "",
) -> list[Blend]:
    """Who speaks: everybody in a table, or the one that options describe."""
    if personas is None:
        return [make_blend(ocean or [], character or [], weight or [], strength, name)]
    if ocean or character or weight or strength != 1.0:
        raise UserError(
            "--personas names everybody: give --ocean, --character, --weight and --strength as "
            "columns of its table (character, weight, strength), or leave --personas out"
        )
    return read_cast(personas)
