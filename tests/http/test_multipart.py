"""Forms in all the ways in which programs write them, cut anywhere."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config.key_terms import MAX_KEY_TERMS
from streamer.http.multipart import (
    MAX_FIELD_BYTES,
    MAX_FIELDS,
    FormError,
    FormReader,
    ReceivedForm,
    read_form,
)
from streamer.http.openai_extras import NO_EFFECT

SOUND = bytes(range(256)) * 3 + b"\r\n--x\r\n--bound\r\n"
"""With line ends and what is nearly a boundary."""


def is_text(name: str) -> bool:
    return name in ("model", "prompt")


def form(*parts: tuple[str, bytes], boundary: str = "boundary", end: bool = True) -> bytes:
    """A form of parts, each with its whole Content-Disposition after `form-data`."""
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data{head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    )
    return body + (f"--{boundary}--\r\n".encode() if end else b"")


def read(
    chunks: Iterable[bytes], content_type: str = "multipart/form-data; boundary=boundary"
) -> ReceivedForm:
    async def body() -> AsyncGenerator[bytes]:
        for chunk in chunks:
            yield chunk

    return asyncio.run(read_form(body(), FormReader(content_type, "file", is_text)))


def content(received: ReceivedForm) -> tuple[list[tuple[str, str]], bytes]:
    with received.file as file:
        return received.fields, file.read()


def refused(body: bytes, content_type: str = "multipart/form-data; boundary=boundary") -> str:
    with pytest.raises(FormError) as caught:
        read([body], content_type)
    return str(caught.value)


def cut(body: bytes, at: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(min(edge, len(body)) for edge in at), len(body)]
    return [body[begin:end] for begin, end in itertools.pairwise(edges)]


def test_a_form_holds_all_key_terms_beside_all_settings_of_other_servers() -> None:
    terms = [('; name="keyterms[]"', f"term {number}".encode()) for number in range(MAX_KEY_TERMS)]
    settings = [(f'; name="{name}"', b"1") for name in sorted(NO_EFFECT)]
    received = read([form(*terms, *settings, ('; name="file"', SOUND))])
    fields, _ = content(received)
    assert len(fields) == MAX_KEY_TERMS + len(NO_EFFECT)


FILE_PARTS = [
    '; name="file"; filename="a.wav"',
    '; name="file"; filename=""',
    '; name="file"',
    "; name=file; filename=a.wav",
    '; filename="a.wav"; name="file"',
    "; name=\"file\"; filename*=UTF-8''b%C3%BCro%20a.wav",
    "; name=file; filename*=utf-8'en'%e2%82%ac.m4a",
    '; name="file"; filename="a.wav"; filename*=UTF-8\'\'a.wav',
    '; name="file"; filename="bü ro; name=other.wav"',
    '; name="file"; filename="the \\"best\\"; of.wav"',
    '; name="file"; filename="the "best" of.wav"',
    '; name="file"; filename="C:\\sounds\\"',
    '; name="file"; filename="a%22b%0D%0A.wav"',
    '; NAME="file"; FileName="A.WAV"',
    ' ;name = "file" ;filename = "a.wav" ',
    '; name="file[]"; filename="a.wav"',
    "; name*=UTF-8''file; filename=a.wav",
]


@pytest.mark.parametrize("head", FILE_PARTS)
def test_the_part_with_the_name_file_is_the_file(head: str) -> None:
    body = form(('; name="model"', b"m"), (head, SOUND), ('; name="prompt"', b"a\r\nb"))
    assert content(read([body])) == ([("model", "m"), ("prompt", "a\r\nb")], SOUND)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=boundary", "boundary"),
        ('multipart/form-data; boundary="a b=c"', "a b=c"),
        ("Multipart/Form-Data; charset=utf-8; BOUNDARY=y", "y"),
        (
            "multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxk",
            "----WebKitFormBoundary7MA4YWxk",
        ),
        ("multipart/form-data; boundary='x'", "'x'"),
        ("multipart/form-data; boundary=y; charset=utf-8", "y"),
    ],
)
def test_boundaries(content_type: str, boundary: str) -> None:
    body = form(('; name="file"', SOUND), boundary=boundary)
    assert content(read([body], content_type)) == ([], SOUND)


def test_other_headers_of_a_part_do_not_matter() -> None:
    body = (
        b"--boundary\r\nContent-Type: audio/webm;codecs=opus\r\ncontent-disposition: form-data; "
        b'name="file"; filename="blob"\r\nContent-Length: 3\r\nContent-Transfer-Encoding: binary'
        b"\r\nX-More: 1\r\n\r\nabc\r\n--boundary--"
    )
    assert content(read([body])) == ([], b"abc")


def test_text_is_text_even_with_the_name_of_a_file() -> None:
    body = form(('; name="prompt"; filename="p.txt"', "größe".encode()), ('; name="file"', b""))
    assert content(read([body])) == ([("prompt", "größe")], b"")


def test_text_that_is_not_utf_8_is_read_all_the_same() -> None:
    body = form(('; name="prompt"', "größe".encode("latin-1")), ('; name="file"', b"x"))
    assert content(read([body])) == ([("prompt", "größe")], b"x")


@pytest.mark.parametrize(
    "preamble",
    [
        b"\r\n\r\n",
        b"This is a message in MIME format.\r\n",
        b"- and --bound, --boundary\r\n--boun\r\n\r\n",
        b"x" * 20_000 + b"\n",
    ],
    ids=lambda preamble: preamble[:20],
)
def test_what_is_before_the_form_and_after_it_is_no_part_of_it(preamble: bytes) -> None:
    body = preamble + form(('; name="file"', SOUND)) + b"epilogue\r\n--boundary\r\n"
    assert content(read([body])) == ([], SOUND)
    assert content(read(body[i : i + 1] for i in range(len(body)))) == ([], SOUND)


@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(['; name="model"', '; name="prompt"; x=y']), st.binary(max_size=80)
        ),
        max_size=3,
    ),
    place=st.integers(0, 3),
    sound=st.binary(max_size=300) | st.just(SOUND),
    at=st.lists(st.integers(0, 1_200), max_size=12),
)
def test_any_cut_gives_the_same(
    parts: list[tuple[str, bytes]], place: int, sound: bytes, at: list[int]
) -> None:
    parts.insert(place, ('; name="file"; filename="a"', sound))
    whole = form(*parts)
    found = content(read(cut(whole, at)))
    assert found == content(read([whole]))
    assert found[1] == sound or b"--boundary" in sound
    byte_by_byte = content(read(whole[i : i + 1] for i in range(len(whole))))
    assert byte_by_byte == found


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_bytes_that_are_no_form_are_refused_and_nothing_else(body: bytes, at: list[int]) -> None:
    with pytest.raises(FormError):
        read(cut(b"--boundary\r\n" + body, at))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the form cannot be read: its boundary is missing"),
        (b"RIFF....WAVE", "the form cannot be read: its boundary is missing"),
        (bytes(1 << 20), "the form cannot be read: its boundary is missing"),
        (b"--boundary\r\n", "its end is missing"),
        (form(('; name="file"', SOUND), end=False), "its end is missing"),
        (form(('; name="file"', SOUND))[:-6], "its end is missing"),
        (form(("; filename=a.wav", SOUND)), "a part has no name"),
        (
            form(('; name="model"', b"m")),
            "the file is missing; it has to be 'file'; with curl: -F file=@FILE",
        ),
        (
            form(('; name="sound"; filename="a.wav"', SOUND)),
            'the file is called "sound"; it has to',
        ),
        (form(*[('; name="file"', SOUND)] * 2), "'file' is given more than once"),
        (form(*[('; name="a"', b"")] * (MAX_FIELDS + 1)), f"more than {MAX_FIELDS} parts"),
        (form(('; name="prompt"', bytes(MAX_FIELD_BYTES + 1))), "'prompt' has over 1048576 bytes"),
        (form(*[('; name="x"', bytes(MAX_FIELD_BYTES))] * 5), "the form has over 4194304 bytes"),
        (
            b'--boundary\r\nContent-Disposition: form-data; name="file"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\nUklGRg==\r\n--boundary--\r\n",
            "'file' has the Content-Transfer-Encoding base64; allowed: none, its bytes as they are",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_forms_that_are_none(body: bytes, says: str) -> None:
    assert says in refused(body)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_a_form_without_a_boundary(content_type: str) -> None:
    assert "has no boundary; let the program that makes the form set it" in refused(
        form(('; name="file"', b"")), content_type
    )
    too_long = f"multipart/form-data; boundary={'x' * 1_000}"
    assert "boundary cannot be used" in refused(b"", too_long)
