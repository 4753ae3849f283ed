"""The key terms in a prompt, in which clients of OpenAI's API describe what will be said.

A prompt is a list, such as "Kubernetes, Jean Valjean, etcd", or text in which such words occur. Of
a list, each item counts. Of text, what is written like a name does: with a capital where no
sentence begins, or with capitals or digits within the word. Nothing here knows which other words
are rare.
"""

import re
from collections.abc import Iterator, Sequence

from streamer.config.key_terms import MAX_KEY_TERM_LENGTH, MAX_KEY_TERMS, is_key_term

LONGEST_ITEM = 4
"""Words of an item of a list."""

LIST_SHARE = 0.8
"""Part of the items that are like those of a list, if the prompt is one."""

LONGEST_READ = MAX_KEY_TERMS * (MAX_KEY_TERM_LENGTH + len(", "))
"""Characters, at the end of a prompt: the longest list of which every item counts."""

# Patterns that end at one character: `+` would look at each of a run of dots from each of them.
ITEM_END = re.compile(r"[,;:|•、，；\r\n\t]|[.!?…](?!\S)")
SENTENCE_END = re.compile(r"[.!?…:](?!\S)|[\r\n]")

WORD = re.compile(r"[^\W_](?:[\w'’.·+#&/-]*[\w+#])?")
"""From a letter or digit to a letter, a digit or one of `+#`: `C++`, `node.js` or `d'Albe`."""

_COMMON = """
a about all also am an and any are as at be been but by can could do does for from had has have he
her here his how i i'm if in is it it's its just me my no not of on or our out she so some that
that's the their them then there they this to up us was we were what when where which who will with
would you your
"""
COMMON = frozenset(_COMMON.split())
"""Words in lower case of which text has many, and a name has none at its ends."""


def key_terms_of(prompt: str) -> list[str]:
    """The names and unusual words of a prompt, each once; the last ones if there are too many.

    Of a prompt that is longer than `LONGEST_READ`, only the end is read.
    """
    prompt = _end(prompt)
    items = [words for part in ITEM_END.split(prompt) if (words := WORD.findall(part))]
    fitting = [words for words in items if _is_item(words)]
    found = fitting if len(fitting) >= LIST_SHARE * len(items) else [*_names(prompt)]
    terms = dict.fromkeys(" ".join(words) for words in found)
    return [term for term in terms if len(term) > 1 and is_key_term(term)][-MAX_KEY_TERMS:]


def _end(prompt: str) -> str:
    """The end of a prompt, from where an item begins, or else a word."""
    if len(prompt) <= LONGEST_READ:
        return prompt
    end = prompt[-LONGEST_READ:]
    cut = ITEM_END.search(end, 0, MAX_KEY_TERM_LENGTH) or re.search(r"\s", end)
    return end[cut.end() :] if cut else end


def _is_item(words: Sequence[str]) -> bool:
    """Whether these are the words of a list's item, and not of a sentence."""
    common = [word for word in words if word.lower() in COMMON]
    return len(words) <= LONGEST_ITEM and (
        not common or (_is_capital(words[0]) and _is_capital(words[-1]) and len(common) == 1)
    )


def _names(prompt: str) -> Iterator[list[str]]:
    """The words of each name in text."""
    if prompt == prompt.upper():
        return  # no word has more capitals than the others
    for sentence in SENTENCE_END.split(prompt):
        name: list[str] = []
        end = first = 0
        for number, found in enumerate(WORD.finditer(sentence)):
            word = found[0].removesuffix("'s").removesuffix("’s")
            if not _is_capital(word) and not _is_unusual(word):
                continue
            if sentence[end : found.start()].strip():  # other words, or a comma, are between
                yield from _without_common(name, begins=first == 0)
                name, first = [], number
            name.append(word)
            end = found.end()
        yield from _without_common(name, begins=first == 0)


def _without_common(name: list[str], *, begins: bool) -> Iterator[list[str]]:
    """A name without common words at its ends.

    Args:
        name: Words with capitals, one after another.
        begins: Whether the first one begins a sentence, so that its capital means nothing.
    """
    if begins and name and not _is_unusual(name[0]):
        rest = name[1:]
        if rest and name[0].lower() not in COMMON:
            yield name
        name = rest
    proper = [number for number, word in enumerate(name) if word.lower() not in COMMON]
    if proper:
        yield name[proper[0] : proper[-1] + 1]


def _is_capital(word: str) -> bool:
    return word[0].isupper()


def _is_unusual(word: str) -> bool:
    """Whether the word has capitals behind its first letter, signs, or letters and digits."""
    if word.islower() and word.isalpha():
        return False  # as most are; this takes no look at each letter in Python
    return any(letter.isupper() or letter in ".+#&" for letter in word[1:]) or (
        any(map(str.isdigit, word)) and any(map(str.isalpha, word))
    )
