"""The commands behind `streamer`: serve, models, check and load. They parse arguments and print.

May import: everything below it. Nothing imports it but `streamer.__main__`.
"""
