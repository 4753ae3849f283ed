"""Models in worker processes: jobs in, results out, and which job runs next.

`pool.py` is what the rest of the server uses. `worker_link.py` and `worker.py` are the two ends of
a worker's link, `ipc.py` the messages on it.

May import: models, config, observe, model.
"""
