"""Judge the events of one stream on one channel."""

from collections.abc import Iterable
from typing import Any

Event = dict[str, Any]


def first_fault(events: Iterable[Event]) -> str | None:
    """Return why the first wrong event is wrong, as one of the texts below. None = all right.

    Each event has a `type`, and some have times in seconds:

        started   active(time)   interim(start_time, end_time)   inactive(time)
        segment(start_time, end_time)   stopped

    The promises, in the order in which they are checked for each event (TYPE is its `type`):

    1. `started` comes first:                            "TYPE before started"
    2. Nothing comes after `stopped`:                    "TYPE after stopped"
    3. There is only one `started`:                      "started twice"
    4. `active` and `inactive` alternate:                "active twice", "inactive without active"
    5. An `interim` comes only between them:             "interim outside of speech"
    6. Each `segment` comes behind an `inactive` of
       its own, at once or later:                        "segment without speech"
    7. Segments come in order, and do not overlap:       "segment before the end of the last one"
    8. At `stopped`, each `active` has its `inactive`,
       and each `inactive` has its `segment`:            "stopped too early"

    If the events end without `stopped`, and none is wrong, the text is "no stopped".
    """
    raise NotImplementedError
