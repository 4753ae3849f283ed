"""The languages of a form of OpenAI's, checked against those of the model."""

from typing import Literal

from streamer.config.explain import show
from streamer.http.languages import is_automatic, language_of
from streamer.http.openai_fields import Form
from streamer.http.refusals import Refused
from streamer.inference.pool import WorkerPool
from streamer.models.registry import language_names

Task = Literal["transcribe", "translate"]


def check_languages(form: Form, task: Task, pool: WorkerPool) -> str:
    """The language of the text, in OpenAI's words.

    Raises:
        Refused: The model cannot transcribe the languages of the form.
    """
    spoken = language_names(pool.spec.type)
    if task == "translate" and "english" not in spoken:
        text = f"the model {pool.spec.name} does not translate; allowed: a model of English speech"
        raise Refused(400, "bad_request", text, field="model")
    if not spoken:  # a model of one's own, which may have any language
        given = (form.language, *form.languages)
        named = next((name for name in given if name and not is_automatic(name)), "unknown")
        language = language_of(named)
        return language.name if language else named
    _check_language("language", [form.language] if form.language else [], spoken)
    _check_language("languages", form.languages, spoken)
    _check_language("to_language", [form.to_language] if form.to_language else [], spoken)
    return spoken[-1]


def _check_language(field: str, given: list[str], spoken: tuple[str, ...]) -> None:
    """Check that the model has one of the languages that are given.

    Args:
        field: Of the form.
        given: Its values.
        spoken: As `language_names` gives them.

    Raises:
        Refused: It has none of them.
    """

    def is_spoken(name: str) -> bool:
        language = language_of(name)
        return is_automatic(name) or (language is not None and language.code == spoken[0])

    if given and not any(map(is_spoken, given)):
        text = f"'{field}' is {show(', '.join(given))}; allowed with this model: {spoken[0]}, auto"
        raise Refused(400, "bad_request", text, field=field)
