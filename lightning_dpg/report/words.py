"""The sentences of the report, computed from its numbers: a poor result is said as plainly."""

from __future__ import annotations

from lightning_dpg.report.reading import Arm, Comparison, Control, Persona, Ratio, RunFolder
from lightning_dpg.report.style import label

PAPER = {"dpg_over_lora_sft": 3.14 / 4.25, "dpg_over_best_prompt": 3.14 / 3.36}
"""The paper's ratios (Llama-7B; its prompt-only arm is GPT-4): orientation, not a comparison."""
SIGNIFICANT = 0.05
FARTHER = "farther from it"
_KINDS = {"held_out": "held-out", "seen": "of training", "": "unnamed kind"}
_CONTROLS = {
    "shuffled_words": "words in another order",
    "other_question": "a reply to another question",
    "mixed": "two personas spliced",
    "spliced": "two personas spliced in turn (an earlier version's control, which could not miss)",
}


def setting(run: RunFolder) -> str:
    """What was run: tasks, arms, personas, backbone, seed and judge."""
    facts = run.facts
    tasks = "; ".join(
        f"{task.title}: {people(task.personas)}"
        + (f", {counted(len(task.prompts), 'prompt')}" if task.prompts else "")
        for task in run.tasks
    )
    arms = " · ".join(map(label, run.arm_names))
    backbone = f" on {facts['backbone']}" if facts.get("backbone") else ""
    judge = f"; judged by {facts['judge']}" if facts.get("judge") else ""
    return f"{tasks}. Arms: {arms}{backbone}, seed {facts.get('seed', 'unknown')}{judge}."


def people(personas: tuple[Persona, ...]) -> str:
    """How many personas of which kinds: `32 personas (16 held-out, 16 drawn)`."""
    kinds: dict[str, int] = {}
    for persona in personas:
        kinds[kind(persona.kind)] = kinds.get(kind(persona.kind), 0) + 1
    shown = ", ".join(f"{count} {name}" for name, count in kinds.items())
    return f"{counted(len(personas), 'persona')} ({shown})"


def ratio_title(ratio: Ratio) -> str:
    """`dpg_over_best_prompt` → `DPG over best prompt (Prompted, scores)`."""
    upper, _, lower = ratio.name.partition("_over_")
    title = f"{label(upper)} over {inside(lower)}" if lower else label(upper)
    return f"{title} ({label(ratio.against)})" if ratio.against else title


def ratio_verdict(ratio: Ratio) -> str:
    """What an interval of a ratio of deviations says."""
    low, high = ratio.value.low, ratio.value.high
    if low is None or high is None:
        return "no interval"
    if high < 1:
        return "deviates less"
    return "deviates more" if low > 1 else "no clear difference: the interval holds 1"


def comparison_verdict(found: Comparison) -> str:
    """What the corrected p of a difference says."""
    if found.difference is None or found.p_holm is None:
        return "not tested"
    if found.p_holm >= SIGNIFICANT:
        return "no clear difference"
    return "nearer to what was asked" if found.difference.mean < 0 else FARTHER


def control_title(name: str) -> str:
    """What was done to the replies of a control."""
    return _CONTROLS.get(name) or name.replace("_", " ")


def control_verdict(found: Control) -> str:
    """Whether a measure caught replies that were broken on purpose."""
    if found.intact is None or found.broken is None or found.p is None:
        return "not tested"
    worse = found.broken.mean > found.intact.mean
    if found.measure != "nll":  # the only one of which less is better
        worse = found.broken.mean < found.intact.mean
    return "caught" if worse and found.p < SIGNIFICANT else "missed"


def kind(name: str) -> str:
    """The kind of a persona as a reader sees it."""
    return _KINDS.get(name, name.replace("_", " "))


def counted(count: int, noun: str) -> str:
    """`1 prompt`, `2 prompts`, `2 replies`."""
    several = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else several}"


def reasons(arm: Arm) -> list[tuple[str, list[str]]]:
    """Why personas of an arm have no score: each reason with the ids, most frequent first."""
    grouped: dict[str, list[str]] = {}
    for persona, reason in arm.reasons.items():
        grouped.setdefault(reason or "no reason was written down", []).append(persona)
    return sorted(grouped.items(), key=lambda item: -len(item[1]))


def inside(name: str) -> str:
    """A label inside a sentence."""
    names = {
        "best_prompt": "the best prompt-only arm",
        "constant_zero": "constant zero",
        "corpus_mean": "the corpus mean",
    }
    return names.get(name) or label(name)
