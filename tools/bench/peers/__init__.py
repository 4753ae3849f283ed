"""Other servers beside this one: the same audio, one run, one machine. `make bench-peers`.

Each peer has a file here: how it is started, and its wire. What it needs is installed from
`requirements/peers/` into an environment of its own, `build/peers/NAME`, by `make peers`.
"""
