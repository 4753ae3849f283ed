"""What the log says of Ray's errors."""

import pytest

from streamer.remote.ray_errors import in_one_line

DIED = (
    "The actor died because of an error raised in its creation task, "
    "\x1b[36mray::RemoteModel.__init__()\x1b[39m (pid=812, ip=10.0.0.2, actor_id=a6c1, "
    "repr=<streamer.remote.actor.FunctionActorManager._create.<locals>.T object>)\n"
    '  File "/usr/lib/python3/actor.py", line 12, in load\n'
    "    import streamer\n"
    "ModuleNotFoundError: No module named 'streamer'\n"
)


def test_the_reason_is_not_cut_off() -> None:
    line = in_one_line(DIED)
    assert line.startswith("The actor died because of an error raised in its creation task, ray::")
    assert line.endswith(" … ModuleNotFoundError: No module named 'streamer'")


@pytest.mark.parametrize(
    ("message", "line"),
    [("", ""), ("\n \n", ""), ("one\n", "one"), ("same\n\nsame", "same"), ("a\nb\nc", "a … c")],
)
def test_short_messages_stay_as_they_are(message: str, line: str) -> None:
    assert in_one_line(message) == line


def test_every_message_is_one_line_without_colours_of_bounded_length() -> None:
    line = in_one_line("\x1b[31m" + "x" * 9_000 + "\x1b[0m\n" + "y" * 9_000)
    assert line.isprintable()
    assert len(line) < 500
