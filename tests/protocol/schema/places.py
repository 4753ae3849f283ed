"""All places that describe messages, and what in each differs from the server."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

from streamer.protocol import codes
from streamer_client import Stream, connect, events, reconnect, transcribe
from streamer_client.formats import FormatSettings
from tests.protocol.schema import javascript, page, python_client, server, syntax
from tests.protocol.schema.fields import Schema, differences, name_differences

ROOT = Path(__file__).parents[3]
WEB = ROOT / "streamer/web"
PAGE = "docs/protocol.md"

CONNECTION_ARGUMENTS = frozenset({"url", "timeout_s", "path"})
"""Arguments of the Python client that have no field in `start`."""


@dataclass(frozen=True)
class Sources:
    """What is compared: the server's types, and the text or the objects of each other place."""

    structs: server.Structs
    error_codes: Set[str]
    warning_codes: Set[str]
    event_fields: Mapping[str, Mapping[str, events.EventField]]
    vad_fields: Mapping[str, events.EventField]
    seconds_fields: Mapping[str, events.EventField]
    event_properties: Set[str]
    connect: Callable[..., object]
    transcribe: Callable[..., object]
    format_settings: type
    stream: type[Stream]
    passing_codes: Set[str]
    messages_js: str
    options_js: str
    modules_js: str
    explanations_js: str
    page: str

    @cached_property
    def schema(self) -> Schema:
        """All messages, as the server's types have them."""
        return server.schema(self.structs)

    @cached_property
    def events(self) -> Schema:
        """The part that the server sends."""
        sent = (name for name in self.schema if server.is_event(name, self.structs))
        return {name: self.schema[name] for name in sent}

    @cached_property
    def requests(self) -> Schema:
        """The part that clients send."""
        return {name: one for name, one in self.schema.items() if name not in self.events}


def sources() -> Sources:
    """Everything as it is in the repository."""
    modules = sorted((WEB / "streamer-client").glob("*.js"))
    return Sources(
        structs=server.structs(),
        error_codes=set(get_args(codes.ErrorCode)),
        warning_codes=set(get_args(codes.WarningCode)),
        event_fields=events.EVENT_FIELDS,
        vad_fields=events.VAD_FIELDS,
        seconds_fields=events.SECONDS_FIELDS,
        event_properties=python_client.properties(events.Event),
        connect=connect,
        transcribe=transcribe,
        format_settings=FormatSettings,
        stream=Stream,
        passing_codes=reconnect.PASSING,
        messages_js=(WEB / "streamer-client/messages.js").read_text(),
        options_js=(WEB / "streamer-client/options.js").read_text(),
        modules_js="\n".join(path.read_text() for path in modules),
        explanations_js=(WEB / "page/explanations.js").read_text(),
        page=(ROOT / PAGE).read_text(),
    )


def written_events(given: Sources) -> list[str]:
    """What `encode_event` writes has the fields of the wire types."""
    whole = {name: fields for name, fields in given.events.items() if "." not in name}
    return differences(whole, server.written_schema(given.structs), "encode_event()")


def python_events(given: Sources) -> list[str]:
    """The Python client's table of events, and the properties of its `Event`."""
    found = python_client.events(given.event_fields, given.vad_fields, given.seconds_fields)
    known = {name for fields in given.event_fields.values() for name in fields}
    return differences(given.events, found, "the tables of events.py") + [
        f"`{name}` is too much in Event of events.py"
        for name in sorted(
            given.event_properties - known - {"text", "confidence", "words", "output"}
        )
    ]


def python_arguments(given: Sources) -> list[str]:
    """The arguments of the Python client, which are the fields of `start`."""
    expected = given.requests
    start = {name: one for name, one in expected["start"].items() if name != "format"}
    in_connect = {"start": {**start, **expected["start.format"]}}
    problems = []
    for function, fields in (
        (given.connect, in_connect),
        (given.transcribe, {"start": start}),  # the file has the format
    ):
        found = {"start": python_client.arguments(function, CONNECTION_ARGUMENTS)}
        problems += differences(fields, found, f"{function.__name__}() of api.py")
    return problems + differences(
        {"start.format": expected["start.format"]},
        {"start.format": python_client.typed_dict(given.format_settings)},
        "FormatSettings of formats.py",
    )


def python_requests(given: Sources) -> list[str]:
    """The other requests, as the Python client sends them; it passes objects on as they are."""
    expected = {
        name: fields
        for name, fields in given.requests.items()
        if name != "start" and "." not in name
    }
    return differences(expected, python_client.sent_requests(given.stream), "Stream of stream.py")


def javascript_types(given: Sources) -> list[str]:
    """The declarations of the JavaScript client: of events, and of the objects in requests."""
    objects = {name: fields for name, fields in given.requests.items() if "." in name}
    found = {**javascript.events(given.messages_js), **javascript.objects(given.messages_js)}
    return differences({**given.events, **objects}, found, "messages.js")


def javascript_options(given: Sources) -> list[str]:
    """The options of the JavaScript client, which are fields of `start`."""
    start = given.requests["start"]
    expected = {"start": {name: one for name, one in start.items() if name != "format"}}
    found = javascript.options(given.options_js, given.messages_js)
    return differences(expected, found, "ClientOptions of options.js")


def javascript_requests(given: Sources) -> list[str]:
    """The requests, as the JavaScript client sends them."""
    expected = {name: fields for name, fields in given.requests.items() if "." not in name}
    return differences(expected, javascript.sent_requests(given.modules_js), "sendRequest()")


def page_fields(given: Sources) -> list[str]:
    """The tables and examples of the page."""
    found = {**page.requests(given.page), **page.events(given.page)}
    return differences(given.schema, found, PAGE)


def page_codes(given: Sources) -> list[str]:
    """The codes that the page lists."""
    errors, warnings = page.error_codes(given.page), page.warning_codes(given.page)
    return [
        *name_differences("", given.error_codes, errors, f"the errors of {PAGE}"),
        *name_differences("", given.warning_codes, warnings, f"the warnings of {PAGE}"),
    ]


def explained_codes(given: Sources) -> list[str]:
    """The codes that the browser page explains; it has further errors of its own."""
    errors, warnings = (
        set(syntax.object_keys(syntax.constant(given.explanations_js, name)))
        for name in ("ERRORS", "WARNINGS")
    )
    explained = errors & given.error_codes
    return [
        *name_differences("", given.error_codes, explained, "ERRORS of explanations.js"),
        *name_differences(
            "",
            given.warning_codes,
            warnings - javascript.OWN_WARNINGS,
            "WARNINGS of explanations.js",
        ),
    ]


def handled_codes(given: Sources) -> list[str]:
    """The codes after which the clients do something exist."""
    handled = {
        "PASSING of reconnect.py": given.passing_codes,
        "START_REFUSALS of protocol.js": _set(given.modules_js, "START_REFUSALS"),
        "NOT_RETRYABLE of reconnector.js": _set(given.modules_js, "NOT_RETRYABLE"),
    }
    return [
        problem
        for place, found in handled.items()
        for problem in name_differences("", given.error_codes & found, found, place)
    ]


def _set(modules_js: str, name: str) -> set[str]:
    return syntax.strings(syntax.constant(modules_js, name))


CHECKS = (
    written_events,
    python_events,
    python_arguments,
    python_requests,
    javascript_types,
    javascript_options,
    javascript_requests,
    page_fields,
    page_codes,
    explained_codes,
    handled_codes,
)


def problems(given: Sources) -> list[str]:
    """What all checks find."""
    return [problem for check in CHECKS for problem in check(given)]
