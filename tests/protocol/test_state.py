"""The life of a socket: each cell of the table, and what must hold over any sequence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.protocol.actions import (
    Action,
    Begin,
    BeginAgain,
    Close,
    CutOff,
    Discard,
    DropWork,
    EndPausedSegments,
    EndSegments,
    Feed,
    Finish,
    Reconfigure,
    Reply,
    SendError,
)
from streamer.protocol.codes import MAX_CLOSE_REASON_BYTES, CloseCode, close_reason
from streamer.protocol.events import ErrorEvent
from streamer.protocol.inputs import (
    INPUTS,
    AudioPaused,
    AudioReceived,
    BadFormat,
    BadMessage,
    ClearRequested,
    ConfigureRequested,
    Disconnected,
    DisconnectRequested,
    DrainDeadline,
    DrainStarted,
    FlushRequested,
    IdleTimeout,
    Input,
    KeepAliveReceived,
    Overloaded,
    ReplyRequested,
    SessionTooLong,
    StartRequested,
    StopRequested,
    TooLarge,
    Unauthorized,
)
from streamer.protocol.requests import Configure, Start
from streamer.protocol.state import SocketState, State

CONFIGURE = Configure(words=True)
START = Start(format=AudioFormat(16_000))
FAILURE = ErrorEvent(code="overloaded", message="the reason", fatal=True)
AUDIO = AudioReceived(b"1234")
EXAMPLES: dict[type[Input], Input] = {
    StartRequested: StartRequested(START),
    AudioReceived: AUDIO,
    AudioPaused: AudioPaused(),
    FlushRequested: FlushRequested(),
    ConfigureRequested: ConfigureRequested(CONFIGURE),
    ClearRequested: ClearRequested(),
    KeepAliveReceived: KeepAliveReceived(),
    StopRequested: StopRequested(),
    DisconnectRequested: DisconnectRequested(),
    ReplyRequested: ReplyRequested("done"),
    BadMessage: BadMessage(FAILURE),
    BadFormat: BadFormat(FAILURE),
    TooLarge: TooLarge(FAILURE),
    IdleTimeout: IdleTimeout(FAILURE),
    SessionTooLong: SessionTooLong(FAILURE),
    Unauthorized: Unauthorized(FAILURE),
    Overloaded: Overloaded(FAILURE),
    DrainStarted: DrainStarted(12.5),
    DrainDeadline: DrainDeadline(),
    Disconnected: Disconnected(),
}
BY_NAME = {kind.__name__: example for kind, example in EXAMPLES.items()}

# How to get into each state from a new socket.
REACH: dict[State, list[Input]] = {
    State.IDLE: [],
    State.IGNORING: [AUDIO],
    State.STREAMING: [EXAMPLES[StartRequested]],
    State.DRAINING: [EXAMPLES[StartRequested], EXAMPLES[DrainStarted]],
    State.STOPPED: [EXAMPLES[StartRequested], StopRequested()],
    State.CLOSING: [Disconnected()],
}

CONTRACT = """
IDLE      StartRequested      STREAMING Begin
IDLE      AudioReceived       IGNORING  SendError
IDLE      AudioPaused         IDLE
IDLE      FlushRequested      IDLE      SendError
IDLE      ConfigureRequested  IDLE      SendError
IDLE      ClearRequested      IDLE
IDLE      KeepAliveReceived   IDLE
IDLE      StopRequested       IDLE      SendError
IDLE      DisconnectRequested CLOSING   SendError Close
IDLE      ReplyRequested      IDLE      Reply
IDLE      BadMessage          IDLE      SendError
IDLE      BadFormat           IDLE      SendError
IDLE      TooLarge            CLOSING   SendError Close
IDLE      IdleTimeout         CLOSING   SendError Close
IDLE      SessionTooLong      CLOSING   SendError Close
IDLE      Unauthorized        CLOSING   SendError Close
IDLE      Overloaded          CLOSING   CutOff
IDLE      DrainStarted        CLOSING   SendGoingAway Close
IDLE      DrainDeadline       CLOSING   Close
IDLE      Disconnected        CLOSING   DropWork
IGNORING  StartRequested      STREAMING Begin
IGNORING  AudioReceived       IGNORING
IGNORING  AudioPaused         IGNORING
IGNORING  FlushRequested      IDLE      SendError
IGNORING  ConfigureRequested  IDLE      SendError
IGNORING  ClearRequested      IDLE
IGNORING  KeepAliveReceived   IDLE
IGNORING  StopRequested       IDLE      SendError
IGNORING  DisconnectRequested CLOSING   SendError Close
IGNORING  ReplyRequested      IDLE      Reply
IGNORING  BadMessage          IDLE      SendError
IGNORING  BadFormat           IDLE      SendError
IGNORING  TooLarge            CLOSING   SendError Close
IGNORING  IdleTimeout         CLOSING   SendError Close
IGNORING  SessionTooLong      CLOSING   SendError Close
IGNORING  Unauthorized        CLOSING   SendError Close
IGNORING  Overloaded          CLOSING   CutOff
IGNORING  DrainStarted        CLOSING   SendGoingAway Close
IGNORING  DrainDeadline       CLOSING   Close
IGNORING  Disconnected        CLOSING   DropWork
STREAMING StartRequested      STREAMING Finish Begin
STREAMING AudioReceived       STREAMING Feed
STREAMING AudioPaused         STREAMING EndPausedSegments
STREAMING FlushRequested      STREAMING EndSegments
STREAMING ConfigureRequested  STREAMING Reconfigure
STREAMING ClearRequested      STREAMING Discard
STREAMING KeepAliveReceived   STREAMING
STREAMING StopRequested       STOPPED   Finish
STREAMING DisconnectRequested CLOSING   Finish Close
STREAMING ReplyRequested      STREAMING Reply
STREAMING BadMessage          STREAMING SendError
STREAMING BadFormat           IDLE      Finish SendError
STREAMING TooLarge            CLOSING   SendError Finish Close
STREAMING IdleTimeout         CLOSING   SendError Finish Close
STREAMING SessionTooLong      CLOSING   SendError Finish Close
STREAMING Unauthorized        CLOSING   SendError Finish Close
STREAMING Overloaded          CLOSING   CutOff
STREAMING DrainStarted        DRAINING  SendGoingAway
STREAMING DrainDeadline       CLOSING   Finish Close
STREAMING Disconnected        CLOSING   DropWork
DRAINING  StartRequested      CLOSING   Finish Close
DRAINING  AudioReceived       DRAINING  Feed
DRAINING  AudioPaused         DRAINING  EndPausedSegments
DRAINING  FlushRequested      DRAINING  EndSegments
DRAINING  ConfigureRequested  DRAINING  Reconfigure
DRAINING  ClearRequested      DRAINING  Discard
DRAINING  KeepAliveReceived   DRAINING
DRAINING  StopRequested       CLOSING   Finish Close
DRAINING  DisconnectRequested CLOSING   Finish Close
DRAINING  ReplyRequested      DRAINING  Reply
DRAINING  BadMessage          DRAINING  SendError
DRAINING  BadFormat           CLOSING   Finish SendError Close
DRAINING  TooLarge            CLOSING   SendError Finish Close
DRAINING  IdleTimeout         CLOSING   SendError Finish Close
DRAINING  SessionTooLong      CLOSING   SendError Finish Close
DRAINING  Unauthorized        CLOSING   SendError Finish Close
DRAINING  Overloaded          CLOSING   CutOff
DRAINING  DrainStarted        DRAINING
DRAINING  DrainDeadline       CLOSING   Finish Close
DRAINING  Disconnected        CLOSING   DropWork
STOPPED   StartRequested      STREAMING Begin
STOPPED   AudioReceived       STREAMING BeginAgain Feed
STOPPED   AudioPaused         STOPPED
STOPPED   FlushRequested      STOPPED   SendError
STOPPED   ConfigureRequested  STOPPED   SendError
STOPPED   ClearRequested      STOPPED
STOPPED   KeepAliveReceived   STOPPED
STOPPED   StopRequested       STOPPED   SendError
STOPPED   DisconnectRequested CLOSING   Close
STOPPED   ReplyRequested      STOPPED   Reply
STOPPED   BadMessage          STOPPED   SendError
STOPPED   BadFormat           IDLE      SendError
STOPPED   TooLarge            CLOSING   SendError Close
STOPPED   IdleTimeout         CLOSING   SendError Close
STOPPED   SessionTooLong      CLOSING   SendError Close
STOPPED   Unauthorized        CLOSING   SendError Close
STOPPED   Overloaded          CLOSING   CutOff
STOPPED   DrainStarted        CLOSING   SendGoingAway Close
STOPPED   DrainDeadline       CLOSING   Close
STOPPED   Disconnected        CLOSING   DropWork
CLOSING   StartRequested      CLOSING
CLOSING   AudioReceived       CLOSING
CLOSING   AudioPaused         CLOSING
CLOSING   FlushRequested      CLOSING
CLOSING   ConfigureRequested  CLOSING
CLOSING   ClearRequested      CLOSING
CLOSING   KeepAliveReceived   CLOSING
CLOSING   StopRequested       CLOSING
CLOSING   DisconnectRequested CLOSING
CLOSING   ReplyRequested      CLOSING
CLOSING   BadMessage          CLOSING
CLOSING   BadFormat           CLOSING
CLOSING   TooLarge            CLOSING
CLOSING   IdleTimeout         CLOSING
CLOSING   SessionTooLong      CLOSING
CLOSING   Unauthorized        CLOSING
CLOSING   Overloaded          CLOSING
CLOSING   DrainStarted        CLOSING
CLOSING   DrainDeadline       CLOSING
CLOSING   Disconnected        CLOSING
"""
CELLS = [line.split() for line in CONTRACT.split("\n") if line]


def reached(state: State) -> SocketState:
    socket = SocketState()
    for step in REACH[state]:
        socket.step(step)
    assert socket.state is state
    return socket


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(cell[:2]))
def test_every_cell(cell: list[str]) -> None:
    state, given_, then, *actions = cell
    socket = reached(State[state])
    assert [type(action).__name__ for action in socket.step(BY_NAME[given_])] == actions
    assert socket.state is State[then]


def test_the_contract_above_has_every_cell_once() -> None:
    pairs = [(state, given_) for state, given_, *_ in CELLS]
    assert sorted(pairs) == sorted((s.name, i.__name__) for s in State for i in INPUTS)


def test_there_is_an_example_of_every_input() -> None:
    assert list(EXAMPLES) == list(INPUTS)
    assert {kind for kind in _below(Input) if not kind.__subclasses__()} == set(INPUTS)


def _below(kind: type[Input]) -> set[type[Input]]:
    return {kind}.union(*(_below(each) for each in kind.__subclasses__()))


def test_actions_carry_what_their_inputs_brought() -> None:
    socket = SocketState()
    assert socket.step(StartRequested(START)) == [Begin(START)]
    assert socket.step(AUDIO) == [Feed(b"1234")]
    assert socket.step(ConfigureRequested(CONFIGURE)) == [Reconfigure(CONFIGURE)]
    assert socket.step(BadMessage(FAILURE)) == [SendError(FAILURE)]
    assert socket.step(ReplyRequested("done")) == [Reply("done")]
    cut_off = CutOff(FAILURE, Close(CloseCode.TRY_AGAIN_LATER, "the reason"))
    assert socket.step(Overloaded(FAILURE)) == [cut_off]


@pytest.mark.parametrize(
    ("given_", "word"),
    [
        (AUDIO, "audio"),
        (FlushRequested(), "flush"),
        (StopRequested(), "stop"),
        (EXAMPLES[ConfigureRequested], "configure"),
    ],
)
def test_without_a_stream_the_client_is_told_what_to_do(given_: Input, word: str) -> None:
    (action,) = SocketState().step(given_)
    assert isinstance(action, SendError)
    assert action.failure.code == "unexpected_message"
    assert action.failure.message.startswith(f"{word}: no stream is open; send 'start'")
    assert not action.failure.fatal


@pytest.mark.parametrize(
    ("state", "given_", "code", "reason"),
    [
        (State.STREAMING, DisconnectRequested(), 1000, ""),
        (State.STREAMING, IdleTimeout(FAILURE), 1000, "the reason"),
        (State.STREAMING, TooLarge(FAILURE), 1009, "the reason"),
        (State.STREAMING, SessionTooLong(FAILURE), 1008, "the reason"),
        (State.IDLE, Unauthorized(FAILURE), 1008, "the reason"),
        (State.IDLE, EXAMPLES[DrainStarted], 1012, "the server is shutting down"),
        (State.STREAMING, DrainDeadline(), 1012, "the server is shutting down"),
        (State.DRAINING, EXAMPLES[StartRequested], 1012, "the server is shutting down"),
        (State.DRAINING, StopRequested(), 1012, "the server is shutting down"),
        (State.DRAINING, BadFormat(FAILURE), 1012, "the server is shutting down"),
        (State.DRAINING, DisconnectRequested(), 1000, ""),
    ],
)
def test_a_socket_is_closed_with_code_and_reason(
    state: State, given_: Input, code: int, reason: str
) -> None:
    assert reached(state).step(given_)[-1] == Close(CloseCode(code), reason)


@given(st.text())
def test_a_reason_fits_into_a_close_frame(text: str) -> None:
    reason = close_reason(text)
    assert len(reason.encode()) <= MAX_CLOSE_REASON_BYTES
    assert text.startswith(reason)


# Mostly what a client does, so that long lives are common and not only early ends.
inputs = st.one_of(
    st.sampled_from(list(EXAMPLES.values())[:7]), st.sampled_from(list(EXAMPLES.values()))
)


@given(st.lists(inputs, max_size=60))
def test_actions_always_make_sense_in_their_order(given_: list[Input]) -> None:
    socket = SocketState()
    open_stream = remembered = ended = False
    for step in given_:
        for action in socket.step(step):
            assert not ended, f"{action} after the end"
            match action:
                case Begin():
                    assert not open_stream
                    open_stream = remembered = True
                case BeginAgain():
                    assert remembered
                    assert not open_stream
                    open_stream = True
                case Feed() | EndSegments() | EndPausedSegments() | Reconfigure() | Discard():
                    assert open_stream
                case Finish():
                    assert open_stream
                    open_stream = False
                case Close():
                    assert not open_stream
                    ended = True
                case DropWork() | CutOff():
                    ended = True
        running = socket.state in (State.STREAMING, State.DRAINING)
        assert running == (open_stream and not ended)
        assert (socket.state is State.CLOSING) == ended


@given(st.lists(inputs, max_size=30))
def test_audio_is_fed_reported_or_known_to_be_useless(given_: list[Input]) -> None:
    socket = SocketState()
    for step in given_:
        socket.step(step)
    before = socket.state
    actions: list[Action] = socket.step(AUDIO)
    if before not in (State.CLOSING, State.IGNORING):
        assert [type(action) for action in actions] in ([Feed], [BeginAgain, Feed], [SendError])
