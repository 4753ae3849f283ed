"""What takes minutes to show: a server that is abused in every way for as long as you like.

    make soak                   a quarter of an hour
    make soak SECONDS=60        the same in small

`__main__.py` runs one test after another, each a file (`chaos.py`, `churn.py`, `everything.py`,
`greedy.py`, `hostile.py`, `neighbours.py`, `paused.py`) with a server of its own
(`server_under_test.py`), played to by clients that behave (`played_streams.py`) and by those that
do not (`faults.py`). What came of it is judged (`verdict.py`) and written down
(`soak_report.py`, `markdown.py`).
"""
