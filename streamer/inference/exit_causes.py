"""How a worker process has ended, in words: its exit code or its signal, and what to do."""

import signal

_OUT_OF_MEMORY = (
    "perhaps the machine, or its container, was out of memory: use fewer inference.workers or a "
    "smaller model"
)
_NATIVE_CODE = "a library in native code that the model uses has crashed"
_SIGNALS = {
    signal.SIGKILL: _OUT_OF_MEMORY,
    signal.SIGSEGV: _NATIVE_CODE,
    signal.SIGBUS: _NATIVE_CODE,
    signal.SIGILL: f"{_NATIVE_CODE}: perhaps it is built for another processor",
    signal.SIGFPE: _NATIVE_CODE,
    signal.SIGABRT: _NATIVE_CODE,
}
"""What usually ends a process with each signal."""


def describe_exit(code: int | None, *, has_model: bool = True) -> str:
    """A phrase for the exit code of a process.

    Args:
        code: As of `multiprocessing`: negative = the number of a signal; None = not known.
        has_model: Whether the model runs in the process; if not, it cannot have ended it.
    """
    if code is None:
        return "exit code unknown"
    if code >= 0:
        by = ": the model, or a library that it uses, has ended the process" if has_model else ""
        return f"exit code {code}{by}"
    try:
        name: signal.Signals = signal.Signals(-code)
    except ValueError:
        return f"killed by signal {-code}"
    usual = _SIGNALS.get(name) if has_model else None
    return f"killed by {name.name}" + (f": {usual}" if usual else "")
