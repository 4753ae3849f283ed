"""Tickets that every server of a group accepts."""

import base64
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.group_tickets import MAX_USED, TEXT_LENGTH, GroupTickets, TicketState
from streamer.access.refusal_log import EXPIRED_TICKET, USED_TICKET, WRONG_TOKEN, why_unauthorized
from streamer.access.tokens import TICKET_SECONDS, Access, AuthState

OLD, NEW, OTHER = ("old-" * 8, "new-" * 8, "other-" * 8)
VALID, UNKNOWN = TicketState.VALID, TicketState.UNKNOWN


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now_s


def group(clock: Clock, *secrets: str) -> GroupTickets:
    return GroupTickets(secrets or (OLD,), clock)


def test_another_server_of_the_group_accepts_it() -> None:
    clock = Clock()
    here, there = group(clock), group(clock)
    assert there.use(here.issue("", 60, single_use=True)) is VALID
    assert there.use(here.issue("ek_", 60, single_use=True)) is VALID


def test_each_server_admits_once() -> None:
    clock = Clock()
    here, there = group(clock), group(clock)
    ticket = here.issue("", 60, single_use=True)
    for server in (here, there):
        assert server.use(ticket) is VALID
        assert server.use(ticket) is TicketState.USED
        assert server.use(ticket) is TicketState.USED


def test_one_for_many_uses_admits_until_it_expires() -> None:
    clock = Clock()
    tickets = group(clock)
    ticket = tickets.issue("ek_", 600, single_use=False)
    clock.now_s += 599.9
    assert [tickets.use(ticket) for _ in range(3)] == [VALID] * 3
    clock.now_s += 0.1
    assert tickets.use(ticket) is TicketState.EXPIRED


def test_one_that_was_used_is_remembered_until_it_expires_and_not_longer() -> None:
    clock = Clock()
    tickets = group(clock)
    ticket = tickets.issue("", 60, single_use=True)
    assert tickets.use(ticket) is VALID
    clock.now_s += 59.9
    assert tickets.use(ticket) is TicketState.USED
    clock.now_s += 0.1
    assert tickets.use(ticket) is TicketState.EXPIRED
    assert tickets.use(tickets.issue("", 60, single_use=True)) is VALID
    assert len(tickets._used) == len(tickets._expiry) == 1


def test_another_secret_is_refused() -> None:
    clock = Clock()
    ticket = group(clock, OTHER).issue("", 60, single_use=True)
    assert group(clock, OLD, NEW).use(ticket) is UNKNOWN


def test_a_secret_is_replaced_without_a_gap() -> None:
    """Every server gets the new one as its second, then as its first, then alone."""
    clock = Clock()
    steps = [(OLD,), (OLD, NEW), (NEW, OLD), (NEW,)]
    for before, after in pairwise(steps):
        for issuing, accepting in ((before, after), (after, before)):
            ticket = group(clock, *issuing).issue("", 60, single_use=True)
            assert group(clock, *accepting).use(ticket) is VALID
    late = group(clock, OLD).issue("", 60, single_use=True)
    assert group(clock, NEW).use(late) is UNKNOWN


TICKET = group(Clock()).issue("ek_", 60, single_use=True)


@given(st.integers(0, len(TICKET) - 1), st.characters(codec="ascii"))
def test_one_that_was_changed_is_refused(place: int, character: str) -> None:
    changed = TICKET[:place] + character + TICKET[place + 1 :]
    expected = VALID if changed == TICKET else UNKNOWN
    assert group(Clock()).use(changed) is expected


@given(st.integers(0, 56), st.integers(1, 255))
def test_no_byte_of_it_can_be_changed(place: int, change: int) -> None:
    signed = bytearray(base64.urlsafe_b64decode(TICKET[3:]))
    signed[place] ^= change
    forged = "ek_" + base64.urlsafe_b64encode(bytes(signed)).decode()
    assert group(Clock()).use(forged) is UNKNOWN


@given(st.text(max_size=200))
def test_anything_else_is_refused(shown: str) -> None:
    assert group(Clock()).use(shown) is UNKNOWN


@pytest.mark.parametrize("change", [TICKET[3:], f"ek{TICKET}", f"{TICKET}=", TICKET[:-1], "\ud800"])
def test_its_prefix_and_its_length_belong_to_it(change: str) -> None:
    assert len(TICKET) == 3 + TEXT_LENGTH
    assert group(Clock()).use(change) is UNKNOWN


def test_what_is_remembered_is_bounded() -> None:
    clock = Clock()
    tickets = group(clock)
    tickets._used = {number.to_bytes(16) for number in range(MAX_USED - 1)}
    tickets._expiry = [(int(clock.now_s * 1_000) + 60_000, number) for number in tickets._used]
    last, more = (tickets.issue("", 120, single_use=True) for _ in range(2))
    assert tickets.use(last) is VALID
    # A ticket that could be used twice is worse than one that cannot be used.
    assert tickets.use(more) is TicketState.USED
    clock.now_s += 60
    assert tickets.use(more) is VALID
    assert len(tickets._used) == 2


def test_tokens_and_tickets_of_a_group() -> None:
    clock = Clock()
    here, there = (Access(["token"], float, group(clock)) for _ in range(2))
    ticket = here.issue_ticket()
    assert not here.is_token(ticket)
    assert there.auth_state(ticket) is AuthState.ADMITTED
    assert there.auth_state("token") is AuthState.ADMITTED
    late = here.issue_ticket()
    clock.now_s += TICKET_SECONDS
    for shown, state, sentence in (
        (late, AuthState.EXPIRED, EXPIRED_TICKET),
        ("wrong", AuthState.REFUSED, WRONG_TOKEN),
    ):
        assert there.auth_state(shown) is state
        assert state.refused
        assert why_unauthorized(state) == sentence
    again = here.issue_ticket()
    assert there.auth_state(again) is AuthState.ADMITTED
    assert there.auth_state(again) is AuthState.USED
    assert why_unauthorized(AuthState.USED) == USED_TICKET
    assert AuthState.USED.refused
    assert not AuthState.UNKNOWN.refused


def test_without_a_secret_a_ticket_is_for_its_own_server() -> None:
    here, there = (Access(["token"], lambda: 0.0) for _ in range(2))
    ticket = here.issue_ticket()
    assert there.auth_state(ticket) is AuthState.REFUSED
    assert here.auth_state(ticket) is AuthState.ADMITTED


def test_nothing_that_is_dumped_holds_a_secret() -> None:
    assert OLD not in repr(vars(group(Clock())))
