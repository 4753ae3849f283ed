"""`streamer models check`: runs a model in a worker process and finds what is wrong with it.

- `target.py`     from the argument of the command to the models to load
- `sounds.py`     the audio that the model gets
- `probe.py`      runs the model on it: its outputs, and how long they took
- `judgement.py`  problems and notes, in words

`streamer.cli.check` prints them. May import: inference, models, weights, protocol, config.
"""
