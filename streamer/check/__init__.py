"""`streamer models check`: runs a model in a worker process and finds what is wrong with it.

`target.py` finds the models to load, `probe_sounds.py` has the audio, `probe.py` runs the model on
it, and `judgement.py` words problems and notes; `streamer.cli.check` prints them.

May import: inference, models, model, weights, recordings, protocol, config.
"""
