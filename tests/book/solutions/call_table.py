"""Twenty-four cells; the rows of an open call differ in three."""

STATES = ("READY", "RECORDING", "HELD", "OVER")
INPUTS = ("start", "audio", "hold", "resume", "stop", "gone")

_COMPLAIN = ("complain",)

TABLE: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "READY": {
        "start": ("RECORDING", ("open",)),
        "audio": ("READY", _COMPLAIN),
        "hold": ("READY", _COMPLAIN),
        "resume": ("READY", _COMPLAIN),
        "stop": ("READY", _COMPLAIN),
        "gone": ("OVER", ()),
    },
    "RECORDING": {
        "start": ("RECORDING", _COMPLAIN),
        "audio": ("RECORDING", ("write",)),
        "hold": ("HELD", ("mark",)),
        "resume": ("RECORDING", ()),
        "stop": ("READY", ("close",)),
        "gone": ("OVER", ("close",)),
    },
    "HELD": {
        "start": ("HELD", _COMPLAIN),
        "audio": ("HELD", ()),
        "hold": ("HELD", ()),
        "resume": ("RECORDING", ()),
        "stop": ("READY", ("close",)),
        "gone": ("OVER", ("close",)),
    },
    "OVER": dict.fromkeys(INPUTS, ("OVER", ())),
}
