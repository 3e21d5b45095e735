"""Judges dialogues for coherence and contextual integrity by asking a language model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lightning_dpg.assessment.asking.prompt import Prompt
from lightning_dpg.assessment.llm import Asking, People, hidden
from lightning_dpg.assessment.rubric.anonymise import Anonymiser, Pseudonyms
from lightning_dpg.assessment.rubric.dialogue import dialogue_prompt
from lightning_dpg.assessment.rubric.wording import VERSION, Language
from lightning_dpg.config import DialogueJudgeSettings
from lightning_dpg.progress import Advance
from lightning_dpg.records import Dialogue, Utterance

GROUP = {"en": "Several", "zh": "众人"}
UNNAMED = "?"


@dataclass(frozen=True)
class Judgement:
    """What a judge says of a dialogue.

    Attributes:
        coherence: whether turns follow from each other, in [1, 5]; None where it was not judged.
        integrity: whether it is whole and can be understood from itself, in [1, 5], or None.
        reason: the judge's own, or why there is no judgement.
    """

    coherence: float | None
    integrity: float | None
    reason: str


class DialogueJudge:
    """Judges dialogues with all names replaced, speakers' included.

    Args:
        asker: gets the prompts answered.
        settings: the least scores.
        names: names and aliases of further characters; those who speak in a dialogue are known.
    """

    def __init__(self, asker: Asking, settings: DialogueJudgeSettings, names: People = ()) -> None:
        self.asker, self.settings = asker, settings
        self.anonymiser = Anonymiser(names)
        self.names = hidden(names)

    @property
    def identity(self) -> str:
        """The model, the prompt and all else that changes judgements; thresholds do not."""
        return f"litellm/{self.asker.identity}/dialogue-{VERSION}{self.names}"

    @property
    def spent(self) -> float | None:
        """Dollars so far; None where prices are not known."""
        return self.asker.spent

    def knowing(self, names: People) -> DialogueJudge:
        """The same judge, which replaces these names beside those of the speakers."""
        return DialogueJudge(self.asker, self.settings, names)

    def judge(
        self, dialogues: Sequence[Dialogue], advance: Advance | None = None
    ) -> list[Judgement]:
        """One judgement for each dialogue, in order; `advance` is told of dialogues."""
        prompts = [self._prompt(dialogue) for dialogue in dialogues]
        sent = [prompt for prompt in prompts if prompt]
        if advance and len(sent) < len(prompts):
            advance(len(prompts) - len(sent))
        answers = iter(self.asker.ask(sent, advance) if sent else [])
        judgements = []
        for prompt in prompts:
            if prompt is None:
                judgements.append(Judgement(None, None, "nothing is said"))
            elif (answer := next(answers)).value is None:
                judgements.append(Judgement(None, None, answer.reason))
            else:
                judgements.append(Judgement(**answer.value))
        return judgements

    def _prompt(self, dialogue: Dialogue) -> Prompt | None:
        spoken = [u for u in dialogue.utterances if u.text.strip()]
        if not spoken:
            return None
        people: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for utterance in dialogue.utterances:
            if _is_person(utterance):
                people[utterance.speaker][utterance.name] = None
        known = Anonymiser([list(names) for names in people.values()], self.anonymiser)
        language: Language = "zh" if dialogue.language == "zh" else "en"
        pseudonyms = Pseudonyms(known, language)
        turns = []
        for utterance in spoken:
            if not utterance.speaker:
                label = UNNAMED
            elif utterance.collective:
                label = GROUP[language]
            else:  # a role such as a servant is no name: two of them are two people
                key = known.known(people[utterance.speaker]) or f"speaker {utterance.speaker}"
                label = pseudonyms.label(key)
            turns.append((label, pseudonyms.apply(utterance.text)))
        return dialogue_prompt(turns, language)


def _is_person(utterance: Utterance) -> bool:
    return bool(utterance.speaker) and not utterance.collective
