"""Workers on other machines: `bridge.py` takes a local worker's place, `actor.py` runs the model.

Ray is imported only in the process of a bridge and on the nodes, never in the server.

May import: inference, models, weights, config, model.
"""
