"""Names out of texts: a judge that recognises Hamlet rates its memory of the play.

The rule, for scripts with capitals: a name is replaced as whole words that begin with a capital,
in any other case variant (`HAMLET`), with its possessive, and with the inflections of German and
Russian that only change its end. Of a name of several words each is replaced too, apart from
titles, roles, initials and what follows `of` or a comma. Who is called by a role alone (`First
Lord`, `Nurse`) has no name. A name that is a word of English too (`AMBIGUOUS`: Will, Grace) is
replaced only where its capital tells it: as `Will`, not `WILL`, and at the beginning of a sentence
or line only as an address or possessive (`Will, come`). Lower-case names stay.

Chinese names of two characters and more are replaced wherever they stand, the longest first; of
one with a common surname also the given name. Names of one character stay.
"""

from __future__ import annotations

import re
from collections import ChainMap, defaultdict
from collections.abc import Iterable, Iterator, MutableMapping, Sequence

from lightning_dpg.assessment.base import CJK
from lightning_dpg.assessment.rubric.name_forms import (
    BETWEEN,
    TOKEN,
    Form,
    form_of,
    is_name,
    parts_of,
    word_of,
)
from lightning_dpg.assessment.rubric.wording import Language

_GAP = re.compile(r"[\s.'’‐-]{1,3}")
WORDS = {"en": ("Speaker ", "Person "), "zh": ("说话人", "人物")}


class Anonymiser:
    """Knows by what forms people are named.

    Args:
        people: the names and aliases of each.
        base: knows further people; one of `people` with a name known there is the same person.

    Attributes:
        forms: from the forms of names to keys that stand for people.
        sharers: of a key that stands for a part of several people's names, their keys.
    """

    def __init__(self, people: Iterable[Sequence[str]] = (), base: Anonymiser | None = None):
        known = base.forms.maps if base else []
        self.forms: ChainMap[Form, str] = ChainMap({}, *known)
        parts: defaultdict[Form, set[str]] = defaultdict(set)
        for names in people:
            key = self.known(names) or " ".join(names[:1]).casefold()
            for name in names:
                if full := form_of(name):
                    self.forms.setdefault(full, key)
                for part in parts_of(name):
                    parts[part].add(key)
        self.sharers: dict[str, set[str]] = dict(base.sharers) if base else {}
        for part, keys in parts.items():
            key = min(keys) if len(keys) == 1 else f"shared {part}"
            if self.forms.setdefault(part, key) == key and len(keys) > 1:
                self.sharers[key] = keys
        own = self.forms.maps[0]
        self.longest = max(map(len, own), default=1)
        self.longest_han = max((len(f[0]) for f in own if CJK.match(f[0])), default=0)
        if base:
            self.longest = max(self.longest, base.longest)
            self.longest_han = max(self.longest_han, base.longest_han)

    def known(self, names: Iterable[str]) -> str | None:
        """The key of the person that one of these names is known to name; None for nobody."""
        forms = (form_of(name) for name in names)
        return next((self.forms[form] for form in forms if form in self.forms), None)

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Where people are named, in order: start, end and key."""
        tokens = list(TOKEN.finditer(text))
        found: list[tuple[int, int, str]] = []
        i = 0
        while i < len(tokens):
            if CJK.match(tokens[i][0]):
                found += self._find_han(tokens[i][0], tokens[i].start())
                i += 1
                continue
            length, key = self._match(text, tokens, i)
            if key:
                found.append((tokens[i].start(), tokens[i + length - 1].end(), key))
            i += length
        return found

    def _match(self, text: str, tokens: list[re.Match[str]], i: int) -> tuple[int, str]:
        """How many tokens from the i-th on are a name, and whose; (1, "") for none."""
        first = tokens[i][0]
        if first[0].islower():
            return 1, ""
        last = i + 1
        while last < min(len(tokens), i + self.longest) and _GAP.fullmatch(
            text, tokens[last - 1].end(), tokens[last].start()
        ):
            last += 1
        words = tuple(word_of(token[0]) for token in tokens[i:last])
        for length in range(len(words), 0, -1):
            key = self.forms.get(words[:length])
            if key and (length > 1 or is_name(tokens[i])):
                return length, key
        return 1, ""

    def _find_han(self, run: str, offset: int) -> Iterator[tuple[int, int, str]]:
        at = 0
        while at < len(run):
            for length in range(min(self.longest_han, len(run) - at), 1, -1):
                if key := self.forms.get((run[at : at + length],)):
                    yield offset + at, offset + at + length, key
                    at += length
                    break
            else:
                at += 1


class Pseudonyms:
    """The labels of one prompt: letters in the order in which people appear.

    Args:
        anonymiser: who is known.
        language: of the labels.
        target: key of the person who is rated, called `Speaker A`; all others are `Person B`.
    """

    def __init__(self, anonymiser: Anonymiser, language: Language, target: str | None = None):
        self.anonymiser, self.language = anonymiser, language
        self.labels: MutableMapping[str, str] = {}
        if target is not None:
            self.labels[target] = WORDS[language][0] + _letters(0)

    def label(self, key: str) -> str:
        """The label of a person, a new one on first sight.

        A surname that people share is the one of them who has been named, if only one has.
        """
        present = [k for k in self.anonymiser.sharers.get(key, ()) if k in self.labels]
        if len(present) == 1:
            return self.labels[present[0]]
        word = WORDS[self.language][1]
        return self.labels.setdefault(key, word + _letters(len(self.labels)))

    def apply(self, text: str) -> str:
        """The text with labels in place of names."""
        parts, end, before = [], 0, ""
        for start, stop, key in self.anonymiser.find(text):
            between = text[end:start]
            # First and last name of one person, joined as Chinese joins them: one label.
            if not (key == before and len(between) == 1 and between in BETWEEN):
                parts += [between, self.label(key)]
            end, before = stop, key
        return "".join((*parts, text[end:]))


def _letters(number: int) -> str:
    """A to Z, then AA and on."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
