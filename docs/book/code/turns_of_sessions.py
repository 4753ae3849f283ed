"""Who waits when a session with eight channels sends eight segments at once."""

from collections import deque

from streamer.inference.scheduler import ScheduledJob, Scheduler

JOBS = [("eight channels", number) for number in range(8)] + [("one channel", 8), ("another", 9)]


def in_order_of_arrival() -> list[str]:
    """One queue for all."""
    waiting = deque(JOBS)
    return [waiting.popleft()[0] for _ in JOBS]


def in_turns() -> list[str]:
    """The server's scheduler, with one worker."""
    scheduler: Scheduler[ScheduledJob] = Scheduler(1)
    for session, channel in JOBS:
        scheduler.add(ScheduledJob(session, channel))
    order = []
    while jobs := scheduler.next_batch("worker"):
        order += [str(job.session) for job in jobs]
        scheduler.finished("worker")
    return order


print("                 a session's first result is inference number")
for name, order in (("arrival", in_order_of_arrival()), ("turns", in_turns())):
    firsts = {session: order.index(session) + 1 for session, _ in JOBS}
    print(f"{name:8}", ", ".join(f"{session}: {first}" for session, first in firsts.items()))
