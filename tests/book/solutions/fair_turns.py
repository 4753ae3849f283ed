"""An ordered dictionary of deques."""

from collections import OrderedDict, deque
from collections.abc import Hashable


class Turns:
    """The order of the dictionary is the order of the turns."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Hashable, deque[Hashable]] = OrderedDict()

    def add(self, session: Hashable, job: Hashable) -> None:
        """A new key joins at the end."""
        self._waiting.setdefault(session, deque()).append(job)

    def next(self) -> Hashable | None:
        """Take the first session out, and put it back at the end."""
        if not self._waiting:
            return None
        session, jobs = self._waiting.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self._waiting[session] = jobs
        return job

    def withdraw(self, session: Hashable, job: Hashable) -> bool:
        """Take it out, and the session with its last job."""
        jobs = self._waiting.get(session, deque())
        if job not in jobs:
            return False
        jobs.remove(job)
        if not jobs:
            del self._waiting[session]
        return True
