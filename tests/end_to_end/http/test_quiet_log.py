"""Whatever a request holds, each line on the server's standard error is a line of its log.

C libraries that decode write there by themselves, past every log.
"""

import json
import random

import pytest

from tests.end_to_end.http.posting import KINDS, Kind, encoded, post
from tools.harness.process import Server
from tools.harness.sounds import recording

SEED = 16
FORM = "multipart/form-data; boundary=x"
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'


def damaged(whole: bytes) -> list[bytes]:
    """The file cut, with bytes flipped, with its beginning or middle missing, twice, and so on."""
    chance = random.Random(SEED)
    middle = len(whole) // 2
    flipped = bytearray(whole)
    for _ in range(200):
        flipped[chance.randrange(64, len(whole))] ^= 1 << chance.randrange(8)
    return [
        whole[:middle],
        whole[:100],
        whole[middle:],
        bytes(flipped),
        whole[:middle] + bytes(5_000) + whole[middle:],
        whole[:middle] + chance.randbytes(5_000) + whole[middle:],
        whole[:200] + whole[5_000:],
        whole + whole,
        whole[:-1],
    ]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_damaged_files_leave_the_log_alone(standin: Server, kind: Kind) -> None:
    samples, rate = recording("beckett.wav")
    since = standin.log_bytes
    for body in damaged(encoded(samples[: 4 * rate], rate, kind)):
        assert post(standin, "/api/v1/analyze", body).status in (200, 400, 415)
        form = HEAD + body + b"\r\n--x--\r\n"
        assert post(standin, "/v1/audio/transcriptions", form, FORM).status in (200, 400)
    for line in standin.log(since).splitlines():
        written = json.loads(line)  # the log is JSON unless a person watches it
        assert written["level"] in ("info", "warning"), line
