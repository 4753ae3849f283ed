"""Four servers restart one after another: how many sockets each has, by the balancer's choice."""

from tools.docs.balancing import fewest, in_turns, rolling_restart

print("minute   one after another         the fewest sockets")
turns, least = rolling_restart(in_turns), rolling_restart(fewest)
for minute in (39, 41, 46, 51, 56, 60, 75, 90, 120):
    columns = (
        " ".join(f"{count:4}" for count in played[minute - 1].sockets) for played in (turns, least)
    )
    print(f"{minute:6}   {'      '.join(columns)}")
