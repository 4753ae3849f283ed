"""The table of a recorder of telephone calls.

Write `TABLE` from these sentences.

- At first there is no call: READY. `start` opens a file and begins a call: RECORDING.
- `audio` is written to the file while RECORDING. During HELD it is not wanted, and nothing is done
  about it. Without a call it is a mistake of the client, and so are `hold`, `resume` and `stop`
  without a call, and `start` during a call: "complain", and nothing changes.
- `hold` writes a mark into the file, and the call is HELD. `resume` goes on: RECORDING. To hold a
  call that is held, or to resume one that is not, changes nothing and is no mistake.
- `stop` closes the file, from RECORDING and from HELD, and the recorder is READY for another call.
- `gone` ends everything: OVER. If a call was open, its file is closed. Nothing happens afterwards,
  whatever arrives.

Actions: "open", "write", "mark", "close", "complain".
"""

STATES = ("READY", "RECORDING", "HELD", "OVER")
INPUTS = ("start", "audio", "hold", "resume", "stop", "gone")

TABLE: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {}
"""For each state, and in it for each input: the next state, and the names of the actions."""
