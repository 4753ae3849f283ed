"""Draft-verified decoding with the published graphs and with the server's, for comparison.

The decoder gets the tokens of the last interim all at once. As far as it would have chosen the
same ones, one pass does the work of many. With the published graphs, it continues as usual from the
first other token on. The server takes the draft up again (`streamer/models/moonshine/draft.py`).
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from streamer.config.segmentation import InterimConfig
from streamer.models.moonshine.decoding import START_TOKEN
from streamer.models.moonshine.transcriber import Moonshine, max_tokens
from streamer.onnx.graph import Floats
from tools.bench.published import PublishedMoonshine, TensorsByName, as_past

RATE = 16_000


class Drafted(Protocol):
    """A transcriber that can be given a draft of the tokens."""

    def verified(self, samples: Floats, draft: list[int]) -> tuple[list[int], int]:
        """The tokens of float32 [n], and how often the decoder was run."""
        ...

    def text(self, tokens: list[int]) -> str:
        """The words."""
        ...


class DraftedMoonshine(Moonshine):
    """The server's."""

    def verified(self, samples: Floats, draft: list[int]) -> tuple[list[int], int]:
        """As that of `Drafted`."""
        before = self.decoder.network.runs
        found = self.decoder.decode(self.encoder_caches(samples), max_tokens(samples), draft=draft)
        return found.tokens, self.decoder.network.runs - before


class DraftedPublishedMoonshine(PublishedMoonshine):
    """The published one."""

    def verified(self, samples: Floats, draft: list[int]) -> tuple[list[int], int]:
        """As that of `Drafted`."""
        if not draft:
            tokens = self.tokens(samples)
            return tokens, len(tokens) + 1
        limit = max_tokens(samples)
        draft = draft[:limit]
        inputs = self._encode(samples)
        logits, caches = self._pass([START_TOKEN, *draft], inputs)
        best = [int(token) for token in logits[0].argmax(axis=-1)]
        agreed = next((i for i, token in enumerate(draft) if token != best[i]), len(draft))
        tokens, token = draft[:agreed], best[agreed]
        # What the decoder remembers of the part of the draft that was wrong.
        for name in map(as_past, self._growing_caches):
            caches[name] = caches[name][:, :, : agreed + 1]
        inputs.update(caches, use_cache_branch=np.array([True]))
        tokens = self._continue(tokens, token, inputs, limit)
        return tokens, 1 + len(tokens) - agreed

    def _pass(self, tokens: list[int], inputs: TensorsByName) -> tuple[Floats, TensorsByName]:
        empty = np.zeros((1, self._sizes.heads, 0, self._sizes.head_size), dtype=np.float32)
        first: TensorsByName = {
            **inputs,
            **dict.fromkeys(map(as_past, self._caches), empty),
            "input_ids": np.array([tokens], dtype=np.int64),
            "use_cache_branch": np.array([False]),
        }
        logits, *caches = self._decoder.run(["logits", *self._caches], first)
        return logits, dict(zip(map(as_past, self._caches), caches, strict=True))


def interims(samples: int, config: InterimConfig) -> Iterator[int]:
    """Ends of the interims of a segment, in samples."""
    at = config.interval_ms * RATE // 1000
    while at < samples:
        yield at
        at += max(config.interval_ms * RATE // 1000, int(config.growth * at))
