"""Forms with a file: `multipart/form-data`, as browsers and very different libraries send it.

RFC 7578. Which part is the file depends on its name alone: programs send it without a file name,
or with `filename*` only (RFC 8187), although RFC 7578 does not want that. File names are not used
for anything.
"""

import re
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import unquote_to_bytes

import python_multipart
from python_multipart.exceptions import FormParserError

from streamer.config.explain import show, show_name
from streamer.http.curl_hints import FORM_FILE
from streamer.http.uploads import IN_MEMORY_BYTES
from streamer.recordings.threads import in_thread

MAX_FIELDS = 256
"""Parts. The programs that send the most name each of forty settings; a hundred key terms may be a
part each."""

MAX_FIELD_BYTES = 1 << 20
"""Of one field of text, in bytes."""

MAX_TEXT_BYTES = 4 << 20
"""Of all fields of text together, in bytes."""

MAX_PREAMBLE_BYTES = 64 << 10
"""What may be before the first boundary (RFC 2046, section 5.1.1), in bytes."""

_PARAMETER = re.compile(
    rb";\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*" rb'(?:"((?:[^"\\]|\\.)*)"(?=\s*(?:;|$))|([^;]*))',
    re.DOTALL,
)
"""A parameter of a header (RFC 9110, section 5.6.6), in quotes or as whatever comes up to the next
semicolon: some programs quote nothing."""

_NO_BOUNDARY = "the form cannot be read: its boundary is missing"


class FormError(ValueError):
    """A form that cannot be read; the message gives the reason in one sentence.

    Attributes:
        field: The one at fault. None = the form as a whole.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ReceivedForm(NamedTuple):
    """What a form holds.

    Attributes:
        fields: Names and values of the text, in order.
        file: At its beginning; the caller closes it.
        file_is_named: Whether it came with a name, as a file does, and not as text.
    """

    fields: list[tuple[str, str]]
    file: BinaryIO
    file_is_named: bool


class FormReader:
    """Reads a form, cut anywhere. Pure: what belongs to the file is handed out, not written.

    Args:
        content_type: The header of the request.
        file_field: Name of the part that is the file.
        is_text: Whether a field of this name is text, even if it comes with a file name.

    Raises:
        FormError: The header names no boundary.
    """

    def __init__(self, content_type: str, file_field: str, is_text: Callable[[str], bool]) -> None:
        boundary = _parameters(content_type.encode("latin-1", "replace")).get("boundary")
        if not boundary:
            raise FormError(
                "the Content-Type has no boundary; let the program that makes the form set it; "
                f"{FORM_FILE}"
            )
        self._file_field = file_field
        self._is_text = is_text
        self.fields: list[tuple[str, str]] = []
        """Those that are complete."""
        self.has_file = False
        """Whether the file has begun."""
        self.file_is_named = False
        """Whether the file has a name."""
        self.complete = False
        """Whether the form has ended."""
        self._file_data: list[bytes] = []
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._headers: dict[str, bytes] = {}
        self._text: tuple[str, bytearray] | None = None
        """Name and value of the part that is open; None = it is the file."""
        self._parts = self._text_bytes = 0
        self._delimiter = b"\n--" + boundary
        self._preamble: bytearray | None = bytearray(b"\n")
        """What has arrived, after the end of a line, before the first boundary; None = it has."""
        try:
            self._parser = python_multipart.MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_begin": self._on_header_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise FormError(f"the Content-Type's boundary cannot be used: {error}") from None

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the form; returns what of them belongs to the file.

        Raises:
            FormError: It is not a form, or not one that is wanted.
        """
        if self._preamble is not None:
            searched = len(self._preamble) - len(self._delimiter)
            self._preamble += data
            begin = self._preamble.find(self._delimiter, max(0, searched))
            if begin < 0:
                if len(self._preamble) > MAX_PREAMBLE_BYTES:
                    raise FormError(_NO_BOUNDARY)
                return []
            data, self._preamble = bytes(self._preamble[begin + 1 :]), None
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise FormError(f"the form cannot be read: {error}") from None
        found, self._file_data = self._file_data, []
        return found

    def finish(self) -> None:
        """There is no more.

        Raises:
            FormError: The form has not ended.
        """
        if self._preamble is not None:
            raise FormError(_NO_BOUNDARY)
        if not self.complete:
            raise FormError("the form cannot be read: its end is missing")

    def _on_part_begin(self) -> None:
        self._headers = {}
        self._parts += 1
        if self._parts > MAX_FIELDS:
            raise FormError(f"the form has more than {MAX_FIELDS} parts; allowed: {MAX_FIELDS}")

    def _on_header_begin(self) -> None:
        self._header = bytearray(), bytearray()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _on_header_end(self) -> None:
        name, value = self._header
        self._headers[name.decode("latin-1").lower()] = bytes(value)

    def _on_headers_finished(self) -> None:
        parameters = _parameters(self._headers.get("content-disposition", b""))
        raw_name = parameters.get("name")
        if raw_name is None:
            raise FormError("the form cannot be read: a part has no name")
        name = _decode(raw_name)
        coding = self._headers.get("content-transfer-encoding", b"").strip().lower()
        if coding in (b"base64", b"quoted-printable"):
            what = f"'{show_name(name)}' has the Content-Transfer-Encoding {coding.decode()}"
            raise FormError(f"{what}; allowed: none, its bytes as they are", name)
        if name.removesuffix("[]") == self._file_field:
            if self.has_file:
                raise FormError(f"'{self._file_field}' is given more than once", self._file_field)
            self.has_file = True
            self.file_is_named = "filename" in parameters
            self._text = None
        elif "filename" in parameters and not self._is_text(name):
            what = f"the file is called {show(name)}"
            must = f"it has to be '{self._file_field}'"
            raise FormError(f"{what}; {must}; {FORM_FILE}", self._file_field)
        else:
            self._text = name, bytearray()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._text is None:
            self._file_data.append(data[start:end])
            return
        name, value = self._text
        value += data[start:end]
        self._text_bytes += end - start
        if len(value) > MAX_FIELD_BYTES:
            what = f"'{show_name(name)}' has over {MAX_FIELD_BYTES} bytes"
            raise FormError(f"{what}; allowed: {MAX_FIELD_BYTES}", show_name(name))
        if self._text_bytes > MAX_TEXT_BYTES:
            what = f"the form has over {MAX_TEXT_BYTES} bytes of text"
            raise FormError(f"{what}; allowed: {MAX_TEXT_BYTES}")

    def _on_part_end(self) -> None:
        if self._text is not None:
            name, value = self._text
            self.fields.append((name, _decode(bytes(value))))

    def _on_end(self) -> None:
        self.complete = True


async def read_form(chunks: AsyncIterator[bytes], reader: FormReader) -> ReceivedForm:
    """Receive a form; a long file of it goes to disk, as with all requests.

    Raises:
        FormError: It is not a form, is not complete, or has no file.
        Exception: Whatever `chunks` raises.
    """
    spooled = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 – the caller closes it
    file = cast("BinaryIO", spooled)
    waiting = bytearray()
    try:
        async for chunk in chunks:
            for data in reader.feed(chunk):
                waiting += data
            if len(waiting) >= IN_MEMORY_BYTES:
                # A disk may make its writers wait, and the event loop cannot.
                await in_thread(file.write, bytes(waiting))
                waiting.clear()
        reader.finish()
        if not reader.has_file:
            raise FormError(f"the file is missing; it has to be 'file'; {FORM_FILE}", "file")
        await in_thread(file.write, bytes(waiting))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return ReceivedForm(reader.fields, file, reader.file_is_named)


def _parameters(header: bytes) -> Mapping[str, bytes]:
    """The parameters of a header; of those that are given twice, the first.

    A parameter with a star has another encoding (RFC 8187) and stands for the one without.
    """
    found: dict[str, bytes] = {}
    for match in _PARAMETER.finditer(header):
        name, quoted, bare = match[1].decode().lower(), match[2], match[3]
        value = bare.strip() if quoted is None else re.sub(rb'\\(["\\])', rb"\1", quoted)
        if name.endswith("*"):
            name, value = name[:-1], unquote_to_bytes(value.rpartition(b"'")[2])
        found.setdefault(name, value)
    return found


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
