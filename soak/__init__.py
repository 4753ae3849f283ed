"""What takes minutes to show: a server that is abused in every way for as long as you like.

    make soak                   a quarter of an hour
    make soak SECONDS=60        the same in small

`__main__.py` runs the `rows.py` one after another, each against a server of its own
(`target.py`), played to by clients that behave (`streams.py`) and by those that do not
(`faults.py`), and writes down what came of it (`report.py`).
"""
