"""``streamer models check``: a model run in a worker process, and what is wrong with it in words.

- ``target.py``    from what the user names to what a worker is to load
- ``sounds.py``    what the model gets to hear
- ``probe.py``     the worker, its answers, and how long they took
- ``judgement.py`` what is to be said about them
- ``cli.py``       what is printed
"""
