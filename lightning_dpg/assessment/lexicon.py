"""Words whose use goes with a trait: a second instrument that shares no adjective with the markers.

The lists are ours; what they hold follows findings on language and personality: Pennebaker and
King (1999, "Linguistic styles"), Mairesse et al. (2007, "Using linguistic cues"), Yarkoni (2010,
"Personality in 100,000 words") and Schwartz et al. (2013, "Personality, gender, and age in the
language of social media"). In short: openness with articles, prepositions, arts, nature and ideas,
against everyday talk of family, money, meals and times; conscientiousness with plans, work, time
and completion, against negation, swearing and leaving things; extraversion with other people,
parties, we, praise and exclamation marks, against tentative words and things done alone;
agreeableness with thanks, help, affection and home, against anger, blame and money; neuroticism
with negative feeling, illness and loss, against assent, ease and certainty. First persons are left
out there: whoever is asked about himself says I, anxious or not.

A word ending in `*` stands for all words that begin so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lightning_dpg.assessment.base import count_words, too_short
from lightning_dpg.assessment.markers import MARKERS
from lightning_dpg.assessment.reference import Floats, positive
from lightning_dpg.progress import Advance
from lightning_dpg.records import Rating

VERSION = "lexicon-4"

LEXICON: dict[str, tuple[str, str]] = {
    "openness": (
        "the of in between beyond beneath above through against across like as if whether "
        "perhaps imagin* dream* wonder* idea* thought* question* mystery strange* story "
        "stories book* poem* song* sing* music* paint* colour* color* picture* light* shadow* "
        "dark* sky star* moon sea river* water* wind* tree* leaf leaves bird* sound* silence* "
        "world* universe* language* word* meaning* beauty beautiful* soul* ghost* legend* "
        "invent* discover* travel* far somewhere map* glass blue gold* green",
        "same usual* always normal* ordinary proper* rule* money price* pay* paid cost* "
        "pound* cheap dinner lunch supper breakfast bread potato* meat tea weather work job "
        "enough nothing nonsense silly pointless fuss fancy sense car bus tv football daft "
        "sensible practical* fix* tomorrow today yesterday o'clock mum dad",
    ),
    "conscientiousness": (
        "plan* list* schedule* time o'clock minute* hour* morning early deadline* ready "
        "prepar* finish* complet* check* count* order* measur* number* page* report* file* "
        "record* note* write written sign* duty work* job* task* first second third then "
        "before after next done clean* wash* tidy fold* label* row* promise* must should "
        "need* needs exact* correct* appointment* book* meeting* monday tuesday wednesday "
        "thursday friday half quarter",
        "whatever later somehow somewhere maybe dunno forgot* lost lose losing late sorry "
        "oops mess* spill* broke* drop* never nobody nothing can't won't don't didn't "
        "couldn't damn* hell stupid bloody bored boring sleep* slept nap* drunk drink* beer "
        "pub bet* luck* guess* whoops hardly anyway bother* skip* wait leave left",
    ),
    "extraversion": (
        "we we'll we're we've us our let's let everyone everybody all together you friend* "
        "people party parties danc* sing* song* laugh* come join* meet* met call* shout* "
        "talk* tell told crowd* game* play* win drink* cheers hello hey welcome great "
        "brilliant fantastic amazing love* best ha tonight stage music loud* ! party's guest* "
        "invit* introduc*",
        "alone myself i'd perhaps maybe rather nobody no-one none read* book* room* door* "
        "shut close* closed window* inside home think* thought* wonder* seem* almost somewhat "
        "silence* whisper* hide* hid leave away night computer* numbers listen* wait* stay* "
        "sit* sat walk* prefer* noise* few little",
    ),
    "agreeableness": (
        "thank* please sorry help* share* welcome love* dear darling sweet* hope* together "
        "home family mother father sister* brother* mum dad child* friend* hug* hold* hand* "
        "smile* care cares cared comfort* yours we us our let's glad happy bless* forgive* trust* "
        "of-course course listen* bring brought soup tea cake gift* understand* feel need "
        "beautiful wonderful good nice gladly",
        "fool* idiot* stupid damn* hell bloody hate* kill* blame* fault* lie* liar* lying "
        "cheat* money pay* paid owe* mine enemy enemies fight* fought hit* shut wrong prove "
        "useless pathetic nonsense rubbish worthless weak never nobody no don't not why get "
        "out boss lawyer* sue win lose loser* beat* power price* steal* stole* revenge "
        "trouble* ridiculous",
    ),
    "neuroticism": (
        "happen* happens wrong afraid scared fear* worri* "
        "worrying panic* sorry can't couldn't never always cry* cried tears hurt* pain* sick* "
        "ill* heart head sleep* awake night* dark* lost lose losing alone leave left die* "
        "died dead death terrible awful horrible worst hate* hopeless sad* trouble* doctor* "
        "breath* shak* please help danger* fault* blame* everything",
        "yes yeah well of-course fine okay ok good easy easily slow* enough simply sit "
        "rest* wait time tea cup garden* sun* sea we us there here work* done solid plenty "
        "matter problem* laugh* together road* day days later tomorrow nothing all-right "
        "right settle*",
    ),
}
"""Per trait the words of the high pole and of the low pole."""


MARKED = re.compile(rf"\b({'|'.join(w for poles in MARKERS.values() for p in poles for w in p)})\b")
"""What the other instrument goes by is not counted, even where a stem would find it."""
CHUNK = 8
"""Passages of a corpus that are counted together for norms: about what an evaluation rates."""


class LexiconAssessor:
    """Counts words: for each trait the use of its high pole's words minus that of its low pole's.

    Neither a model nor a label stands behind it, so it shares nothing with the local assessor but
    the corpus its norms are from. Coarse: 8 speeches of one character of the bundled corpus (312
    sets) tell the authors' poles apart with an AUC of .75 .79 .77 .86 .78 (O C E A N).

    Args:
        min_words: people who said less are insufficient evidence.
    """

    def __init__(self, min_words: int = 25) -> None:
        self.min_words = min_words
        self.patterns = [[_pattern(words) for words in poles] for poles in LEXICON.values()]
        self.mean, self.spread = np.zeros(self._shape), np.ones(self._shape)
        self.scale = np.ones(len(LEXICON))

    @property
    def _shape(self) -> tuple[int, int]:
        return len(LEXICON), 2

    @property
    def identity(self) -> str:
        """Name and version of the instrument."""
        return f"lexicon/{VERSION}/min_words={self.min_words}"

    def fit(self, persons: Sequence[Sequence[str]]) -> None:
        """Take norms from what people of a corpus said, eight passages at a time."""
        chunks = [p[i : i + CHUNK] for p in persons for i in range(0, len(p), CHUNK)]
        use = np.array([self._use(chunk) for chunk in chunks if not too_short(chunk, 1)])
        if len(use) < 2:
            return
        self.mean, self.spread = use.mean(0), positive(use.std(0))
        self.scale = positive(self._contrast(use).std(0))

    def rate(
        self,
        persons: Sequence[Sequence[str]],
        contexts: Sequence[str] | None = None,
        advance: Advance | None = None,
        read: int | None = None,
    ) -> list[Rating]:
        """One rating for each person: two points a standard deviation of the norms, cut at ±5."""
        del contexts, read
        ratings = []
        for passages in persons:
            if (rating := too_short(passages, self.min_words)) is None:
                contrast = self._contrast(self._use(passages)) / self.scale
                rating = Rating(tuple(np.clip(2.0 * contrast, -5.0, 5.0).tolist()))
            ratings.append(rating)
            if advance:
                advance(len(passages))
        return ratings

    def _use(self, passages: Sequence[str]) -> Floats:
        """Uses of each pole's words in a hundred words, (traits, 2)."""
        text = MARKED.sub(" ", "\n".join(passages).lower().replace("’", "'"))
        found = [[len(pole.findall(text)) for pole in poles] for poles in self.patterns]
        return np.array(found, dtype=np.float64) * 100 / max(1, count_words(text))

    def _contrast(self, use: Floats) -> Floats:
        standard = (use - self.mean) / self.spread
        contrast: Floats = standard[..., 0] - standard[..., 1]
        return contrast


def _pattern(words: str) -> re.Pattern[str]:
    """Finds each of these words, separated by spaces, in lower-case text."""
    parts = []
    for word in sorted(words.split(), key=len, reverse=True):
        stem = re.escape(word.removesuffix("*")).replace(r"\-", "[ -]")
        parts.append(rf"(?<!\w){stem}" + (r"\w*" if word.endswith("*") else r"(?!\w)"))
    return re.compile("|".join(parts))
