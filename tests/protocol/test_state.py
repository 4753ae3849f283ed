"""The life of a socket: each cell of the table, and what must hold over any sequence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.protocol.state import Action, Input, Protocol, State

# How to get into each state from a new socket.
REACH = {
    State.IDLE: [],
    State.IGNORING: [Input.AUDIO],
    State.STREAMING: [Input.START],
    State.DRAINING: [Input.START, Input.DRAIN],
    State.STOPPED: [Input.START, Input.STOP],
    State.CLOSING: [Input.DISCONNECTED],
}

CONTRACT = """
IDLE      START               STREAMING BEGIN
IDLE      AUDIO               IGNORING  REPORT
IDLE      FLUSH               IDLE      REPORT
IDLE      KEEP_ALIVE          IDLE
IDLE      STOP                IDLE      REPORT
IDLE      STOP_AND_DISCONNECT CLOSING   REPORT CLOSE
IDLE      BAD_MESSAGE         IDLE      REPORT
IDLE      BAD_FORMAT          IDLE      REPORT
IDLE      TOO_LARGE           CLOSING   REPORT CLOSE
IDLE      IDLE_TIMEOUT        CLOSING   REPORT CLOSE
IDLE      SESSION_TOO_LONG    CLOSING   REPORT CLOSE
IDLE      UNAUTHORIZED        CLOSING   REPORT CLOSE
IDLE      OVERLOADED          CLOSING   CUT_OFF
IDLE      DRAIN               CLOSING   ANNOUNCE CLOSE
IDLE      DRAIN_DEADLINE      CLOSING   CLOSE
IDLE      DISCONNECTED        CLOSING   ABANDON
IGNORING  START               STREAMING BEGIN
IGNORING  AUDIO               IGNORING
IGNORING  FLUSH               IDLE      REPORT
IGNORING  KEEP_ALIVE          IDLE
IGNORING  STOP                IDLE      REPORT
IGNORING  STOP_AND_DISCONNECT CLOSING   REPORT CLOSE
IGNORING  BAD_MESSAGE         IDLE      REPORT
IGNORING  BAD_FORMAT          IDLE      REPORT
IGNORING  TOO_LARGE           CLOSING   REPORT CLOSE
IGNORING  IDLE_TIMEOUT        CLOSING   REPORT CLOSE
IGNORING  SESSION_TOO_LONG    CLOSING   REPORT CLOSE
IGNORING  UNAUTHORIZED        CLOSING   REPORT CLOSE
IGNORING  OVERLOADED          CLOSING   CUT_OFF
IGNORING  DRAIN               CLOSING   ANNOUNCE CLOSE
IGNORING  DRAIN_DEADLINE      CLOSING   CLOSE
IGNORING  DISCONNECTED        CLOSING   ABANDON
STREAMING START               STREAMING FINISH BEGIN
STREAMING AUDIO               STREAMING FEED
STREAMING FLUSH               STREAMING FLUSH
STREAMING KEEP_ALIVE          STREAMING
STREAMING STOP                STOPPED   FINISH
STREAMING STOP_AND_DISCONNECT CLOSING   FINISH CLOSE
STREAMING BAD_MESSAGE         STREAMING REPORT
STREAMING BAD_FORMAT          IDLE      FINISH REPORT
STREAMING TOO_LARGE           CLOSING   REPORT FINISH CLOSE
STREAMING IDLE_TIMEOUT        CLOSING   REPORT FINISH CLOSE
STREAMING SESSION_TOO_LONG    CLOSING   REPORT FINISH CLOSE
STREAMING UNAUTHORIZED        CLOSING   REPORT FINISH CLOSE
STREAMING OVERLOADED          CLOSING   CUT_OFF
STREAMING DRAIN               DRAINING  ANNOUNCE
STREAMING DRAIN_DEADLINE      CLOSING   FINISH CLOSE
STREAMING DISCONNECTED        CLOSING   ABANDON
DRAINING  START               CLOSING   FINISH CLOSE
DRAINING  AUDIO               DRAINING  FEED
DRAINING  FLUSH               DRAINING  FLUSH
DRAINING  KEEP_ALIVE          DRAINING
DRAINING  STOP                CLOSING   FINISH CLOSE
DRAINING  STOP_AND_DISCONNECT CLOSING   FINISH CLOSE
DRAINING  BAD_MESSAGE         DRAINING  REPORT
DRAINING  BAD_FORMAT          CLOSING   FINISH REPORT CLOSE
DRAINING  TOO_LARGE           CLOSING   REPORT FINISH CLOSE
DRAINING  IDLE_TIMEOUT        CLOSING   REPORT FINISH CLOSE
DRAINING  SESSION_TOO_LONG    CLOSING   REPORT FINISH CLOSE
DRAINING  UNAUTHORIZED        CLOSING   REPORT FINISH CLOSE
DRAINING  OVERLOADED          CLOSING   CUT_OFF
DRAINING  DRAIN               DRAINING
DRAINING  DRAIN_DEADLINE      CLOSING   FINISH CLOSE
DRAINING  DISCONNECTED        CLOSING   ABANDON
STOPPED   START               STREAMING BEGIN
STOPPED   AUDIO               STREAMING BEGIN_AGAIN FEED
STOPPED   FLUSH               STOPPED   REPORT
STOPPED   KEEP_ALIVE          STOPPED
STOPPED   STOP                STOPPED   REPORT
STOPPED   STOP_AND_DISCONNECT CLOSING   CLOSE
STOPPED   BAD_MESSAGE         STOPPED   REPORT
STOPPED   BAD_FORMAT          IDLE      REPORT
STOPPED   TOO_LARGE           CLOSING   REPORT CLOSE
STOPPED   IDLE_TIMEOUT        CLOSING   REPORT CLOSE
STOPPED   SESSION_TOO_LONG    CLOSING   REPORT CLOSE
STOPPED   UNAUTHORIZED        CLOSING   REPORT CLOSE
STOPPED   OVERLOADED          CLOSING   CUT_OFF
STOPPED   DRAIN               CLOSING   ANNOUNCE CLOSE
STOPPED   DRAIN_DEADLINE      CLOSING   CLOSE
STOPPED   DISCONNECTED        CLOSING   ABANDON
CLOSING   START               CLOSING
CLOSING   AUDIO               CLOSING
CLOSING   FLUSH               CLOSING
CLOSING   KEEP_ALIVE          CLOSING
CLOSING   STOP                CLOSING
CLOSING   STOP_AND_DISCONNECT CLOSING
CLOSING   BAD_MESSAGE         CLOSING
CLOSING   BAD_FORMAT          CLOSING
CLOSING   TOO_LARGE           CLOSING
CLOSING   IDLE_TIMEOUT        CLOSING
CLOSING   SESSION_TOO_LONG    CLOSING
CLOSING   UNAUTHORIZED        CLOSING
CLOSING   OVERLOADED          CLOSING
CLOSING   DRAIN               CLOSING
CLOSING   DRAIN_DEADLINE      CLOSING
CLOSING   DISCONNECTED        CLOSING
"""
CELLS = [line.split() for line in CONTRACT.split("\n") if line]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(cell[:2]))
def test_every_cell(cell: list[str]) -> None:
    state, given_, then, *actions = cell
    protocol = Protocol()
    for step in REACH[State[state]]:
        protocol.step(step)
    assert protocol.state is State[state]
    assert protocol.step(Input[given_]) == tuple(Action[action] for action in actions)
    assert protocol.state is State[then]


def test_the_contract_above_has_every_cell_once() -> None:
    pairs = [(state, given_) for state, given_, *_ in CELLS]
    assert sorted(pairs) == sorted((s.name, i.name) for s in State for i in Input)


# Mostly what a client does, so that long lives are common and not only early ends.
inputs = st.one_of(st.sampled_from(list(Input)[:5]), st.sampled_from(list(Input)))


@given(st.lists(inputs, max_size=60))
def test_actions_always_make_sense_in_their_order(given_: list[Input]) -> None:
    protocol = Protocol()
    open_stream = remembered = ended = False
    for step in given_:
        for action in protocol.step(step):
            assert not ended, f"{action} after the end"
            match action:
                case Action.BEGIN:
                    assert not open_stream
                    open_stream = remembered = True
                case Action.BEGIN_AGAIN:
                    assert remembered
                    assert not open_stream
                    open_stream = True
                case Action.FEED | Action.FLUSH:
                    assert open_stream
                case Action.FINISH:
                    assert open_stream
                    open_stream = False
                case Action.CLOSE:
                    assert not open_stream
                    ended = True
                case Action.ABANDON | Action.CUT_OFF:
                    ended = True
        running = protocol.state in (State.STREAMING, State.DRAINING)
        assert running == (open_stream and not ended)
        assert (protocol.state is State.CLOSING) == ended


@given(st.lists(inputs, max_size=30))
def test_audio_is_fed_reported_or_known_to_be_useless(given_: list[Input]) -> None:
    protocol = Protocol()
    for step in given_:
        protocol.step(step)
    before = protocol.state
    actions = protocol.step(Input.AUDIO)
    if before not in (State.CLOSING, State.IGNORING):
        assert actions in {
            (Action.FEED,),
            (Action.BEGIN_AGAIN, Action.FEED),
            (Action.REPORT,),
        }
