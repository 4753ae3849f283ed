"""Languages as clients name them: `en`, `en-US`, `en_GB.UTF-8`, `eng`, `English`, `auto`."""

import re
from typing import NamedTuple

AUTOMATIC = frozenset(
    {"auto", "automatic", "auto-detect", "autodetect", "detect", "und", "unknown"}
    | {"mul", "multi", "multilingual", "any", "*"}
)
"""The client leaves the language to the server, or allows all: `und` and `mul` are ISO 639's codes
for an undetermined language and for several."""


class Language(NamedTuple):
    """A language.

    Attributes:
        code: Of ISO 639-1, or of ISO 639-3 where that has none.
        name: In English and in lower case, as OpenAI's API names it in its answers.
    """

    code: str
    name: str


# Code, name, and the codes of three letters (ISO 639-2 has two of some languages).
_TABLE = """
af afrikaans afr | am amharic amh | ar arabic ara | az azerbaijani aze | be belarusian bel
bg bulgarian bul | bn bengali ben | bs bosnian bos | ca catalan cat | cs czech ces cze
cy welsh cym wel | da danish dan | de german deu ger | el greek ell gre | en english eng
es spanish spa | et estonian est | eu basque eus baq | fa persian fas per | fi finnish fin
fr french fra fre | gl galician glg | gu gujarati guj | he hebrew heb | hi hindi hin
hr croatian hrv | hu hungarian hun | hy armenian hye arm | id indonesian ind
is icelandic isl ice | it italian ita | ja japanese jpn | ka georgian kat geo | kk kazakh kaz
km khmer khm | kn kannada kan | ko korean kor | la latin lat | lo lao lao | lt lithuanian lit
lv latvian lav | mi maori mri mao | mk macedonian mkd mac | ml malayalam mal | mn mongolian mon
mr marathi mar | ms malay msa may | mt maltese mlt | my myanmar mya bur | ne nepali nep
nl dutch nld dut | nn nynorsk nno | no norwegian nor nob | pa punjabi pan | pl polish pol
ps pashto pus | pt portuguese por | ro romanian ron rum | ru russian rus | sd sindhi snd
si sinhala sin | sk slovak slk slo | sl slovenian slv | so somali som | sq albanian sqi alb
sr serbian srp | sv swedish swe | sw swahili swa | ta tamil tam | te telugu tel | th thai tha
tl tagalog tgl fil | tr turkish tur | uk ukrainian ukr | ur urdu urd | uz uzbek uzb
vi vietnamese vie | yi yiddish yid | yo yoruba yor | yue cantonese yue | zh chinese zho chi cmn
"""

_BY_WORD = {
    word: Language(code, name)
    for code, name, *codes in (entry.split() for entry in re.split(r"[|\n]", _TABLE.strip()))
    for word in (code, name, *codes)
}

CODES = tuple(sorted({language.code for language in _BY_WORD.values()}))
"""Of all languages that are in the table."""

_OTHER_CODES = {"iw": "he", "in": "id", "nb": "no", "castilian": "es", "mandarin": "zh"}
"""Withdrawn or wider names that programs and their settings still have."""


def language_of(given: str) -> Language | None:
    """The language that a client means. None = it is not in the table.

    What follows the language itself does not matter: a country (`en-US`, `en_GB`), a script, a
    coding (`en_US.UTF-8`), or a remark (`English (United States)`).
    """
    found = re.match(r"[^\W\d_]+", given.strip().lower())
    word = found[0] if found else ""
    return _BY_WORD.get(_OTHER_CODES.get(word, word))


def is_automatic(given: str) -> bool:
    """Whether a client leaves the language to the server."""
    return given.strip().lower().replace("_", "-").replace(" ", "-") in AUTOMATIC
