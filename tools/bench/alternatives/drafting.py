"""Draft-verified decoding, for comparison: not used by the server (`docs/performance.md`).

The decoder gets the tokens of the last interim all at once. As far as it would have chosen the
same ones, one pass does the work of many; from the first other token on, it continues as usual.
"""

from collections.abc import Iterator

import numpy as np

from streamer.config.schema import InterimConfig
from streamer.models.moonshine.decoding import START_TOKEN
from streamer.models.moonshine.transcriber import max_tokens
from streamer.onnx.graph import Floats
from tools.bench.published import PublishedMoonshine, TensorsByName, as_past

RATE = 16_000


class DraftingMoonshine(PublishedMoonshine):
    """The transcriber, which can also be given a draft of the tokens."""

    def verified(self, samples: Floats, draft: list[int]) -> tuple[list[int], int]:
        """The tokens of float32 [n], and how often the decoder was run."""
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
