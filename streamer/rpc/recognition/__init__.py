"""What Google's and NVIDIA's protocols have in common: settings, audio, results. Pure.

May import: rpc.riff, http, protocol, inference, recordings, audio, config.
"""
