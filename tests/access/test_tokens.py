"""Tokens, tickets and origins."""

import pytest

from streamer.access.tokens import (
    MAX_TICKET_SECONDS,
    MAX_TICKETS,
    TICKET_SECONDS,
    Access,
    AuthState,
    Origins,
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def access(*tokens: str) -> tuple[Access, Clock]:
    clock = Clock()
    return Access(tokens, clock), clock


def admits(doors: Access, shown: str) -> bool:
    return doors.auth_state(shown) is AuthState.ADMITTED


def test_any_of_the_tokens_admits_and_nothing_else() -> None:
    doors, _ = access("one", "two")
    assert doors.required
    assert [admits(doors, token) for token in ("one", "two", "three", "", "on", "onetwo")] == [
        *(True, True),
        *(False, False, False, False),
    ]


@pytest.mark.parametrize(
    ("shown", "standing"),
    [("one", AuthState.ADMITTED), ("two", AuthState.REFUSED), (None, AuthState.UNKNOWN)],
)
def test_standing(shown: str | None, standing: AuthState) -> None:
    assert access("one")[0].auth_state(shown) is standing
    assert access()[0].auth_state(shown) is AuthState.ADMITTED


def test_a_ticket_admits_once() -> None:
    doors, _ = access("one")
    ticket = doors.issue_ticket()
    assert not doors.is_token(ticket)
    assert admits(doors, ticket)
    assert not admits(doors, ticket)


def test_a_ticket_admits_for_a_minute() -> None:
    assert TICKET_SECONDS <= 60
    doors, clock = access("one")
    early, late = doors.issue_ticket(), doors.issue_ticket()
    clock.now_s = TICKET_SECONDS - 0.1
    assert admits(doors, early)
    clock.now_s = TICKET_SECONDS
    assert not admits(doors, late)


def test_a_ticket_may_be_for_longer_and_begin_as_its_clients_expect() -> None:
    doors, clock = access("one")
    ticket, longest = doors.issue_ticket("ek_", 600), doors.issue_ticket(seconds=1e9)
    assert ticket.startswith("ek_")
    clock.now_s = 599.9
    assert admits(doors, ticket)
    clock.now_s = MAX_TICKET_SECONDS
    assert not admits(doors, longest)


def test_a_ticket_may_admit_until_it_expires() -> None:
    doors, clock = access("one")
    ticket = doors.issue_ticket(seconds=90, single_use=False)
    longer = doors.issue_ticket(seconds=100)
    assert admits(doors, ticket)
    clock.now_s = 89.9
    assert admits(doors, ticket)
    assert not doors.is_token(ticket)
    clock.now_s = 90
    assert not admits(doors, ticket)
    assert admits(doors, longer)


def test_tickets_are_bounded() -> None:
    doors, clock = access("one")
    first = doors.issue_ticket()
    others = [doors.issue_ticket() for _ in range(MAX_TICKETS)]
    assert not admits(doors, first)
    assert admits(doors, others[0])
    assert admits(doors, others[-1])
    clock.now_s = TICKET_SECONDS
    doors.issue_ticket()
    assert len(doors._tickets) == 1


def test_many_tickets_do_not_remove_one_that_lasts_longer() -> None:
    doors, _ = access("one")
    longer = doors.issue_ticket(seconds=MAX_TICKET_SECONDS, single_use=False)
    for _ in range(MAX_TICKETS):
        doors.issue_ticket()
    assert admits(doors, longer)


def test_nothing_that_is_dumped_holds_a_token() -> None:
    doors, _ = access("hunter2")
    assert "hunter2" not in repr(vars(doors))


SAME = [
    ("http://localhost:8080", "localhost:8080"),
    ("https://localhost", "localhost"),
    ("https://localhost", "localhost:443"),
    ("http://LOCALHOST", "localhost:80"),
    ("http://[::1]:8080", "[::1]:8080"),
]
OTHER = [
    ("http://localhost:8081", "localhost:8080"),
    ("http://evil.example", "localhost:8080"),
    ("http://localhost:8080.evil.example", "localhost:8080"),
    ("https://localhost", "localhost:80"),
    ("null", "localhost:8080"),
    ("", "localhost:8080"),
    ("http://", ""),
    ("http://localhost:x", "localhost:x"),
    ("http://localhost/path", "localhost"),
    ("http://[", "["),
]


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [(*pair, True) for pair in SAME] + [(*pair, False) for pair in OTHER],
)
def test_by_default_a_page_has_to_come_from_the_server(
    origin: str, host: str, *, same: bool, local: bool
) -> None:
    assert Origins((), local=local).allow(origin, host) is same


@pytest.mark.parametrize(
    ("origin", "host", "on_loopback"),
    [
        ("http://localhost:8080", "127.0.0.1:8080", True),
        ("http://127.0.0.1:8080", "localhost:8080", True),
        ("http://[::1]:8080", "127.0.0.1:8080", True),
        ("http://app.localhost:8080", "localhost:8080", True),
        ("http://localhost:8000", "127.0.0.1:8080", False),
        ("http://localhost", "127.0.0.1:8080", False),
        ("http://localhost:8080", "evil.example:8080", False),
        ("http://evil.example:8080", "127.0.0.1:8080", False),
        ("http://localhost.evil.example:8080", "127.0.0.1:8080", False),
    ],
)
def test_all_names_of_this_machine_are_one_on_a_server_that_only_it_reaches(
    origin: str, host: str, *, on_loopback: bool
) -> None:
    assert Origins((), local=True).allow(origin, host) is on_loopback
    assert not Origins((), local=False).allow(origin, host)
    assert not Origins(("https://a.example",), local=True).allow(origin, host)


@pytest.mark.parametrize("local", [True, False])
def test_a_name_that_was_made_to_lead_here_is_not_this_machine(*, local: bool) -> None:
    """DNS rebinding: the page and the server agree on the name, and it is the attacker's."""
    allowed = Origins((), local=local).allow("http://evil.example:8080", "evil.example:8080")
    assert allowed is not local


def test_a_program_has_no_origin() -> None:
    assert Origins((), local=True).allow(None, "example.com")
    assert Origins(("https://a.example",), local=True).allow(None, "example.com")


def test_a_list_is_the_whole_list() -> None:
    origins = Origins(("https://a.example",), local=False)
    assert origins.allow("https://a.example", "b.example")
    assert origins.allow("HTTPS://A.example", "b.example")
    for other in ("http://a.example", "https://a.example:444", "https://b.example", "null"):
        assert not origins.allow(other, "b.example")


def test_a_star_is_everybody_who_has_a_name() -> None:
    origins = Origins(("*",), local=False)
    assert origins.allow("https://anything.example", "b.example")
    assert not origins.allow("null", "b.example")
