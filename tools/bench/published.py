"""Moonshine on its graphs as they are published, for comparison: the server's own are faster."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from streamer.model import Model
from streamer.models.moonshine.decoding import END_TOKEN, START_TOKEN
from streamer.models.moonshine.graphs import sizes
from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.models.moonshine.transcriber import max_tokens, padded
from streamer.onnx.graph import Floats
from streamer.onnx.runtime import OnnxSession

TensorsByName = dict[str, npt.NDArray[np.generic]]


class PublishedMoonshine(Model):
    """The transcriber, on the graphs as they were exported.

    Args:
        folder: Holds `encoder_model.ort`, `decoder_model_merged.ort` and `tokenizer.bin`.
        threads: Threads within one inference. One for each worker shares a machine best.
    """

    sample_rate = 16_000

    def __init__(self, folder: Path, threads: int = 1) -> None:
        import onnxruntime

        self._sizes = sizes(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._encoder = onnxruntime.InferenceSession(
            str(folder / "encoder_model.ort"), options, providers=["CPUExecutionProvider"]
        )
        self._decoder = onnxruntime.InferenceSession(
            str(folder / "decoder_model_merged.ort"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.read(folder / "tokenizer.bin")
        outputs = [output.name for output in self._decoder.get_outputs()]
        self._caches = [name for name in outputs if name != "logits"]
        # After the first step the encoder's keys stay as they are: not asking for them again
        # saves copying them at every step.
        self._growing_caches = [name for name in self._caches if ".decoder." in name]

    def text(self, tokens: list[int]) -> str:
        """The words."""
        return self._tokenizer.decode(tokens)

    def infer(self, samples: Floats) -> dict[str, object]:
        """Transcribe float32 [n] at 16 kHz: `{"text": …}`."""
        return {"text": self.text(self.tokens(samples))}

    def tokens(self, samples: Floats) -> list[int]:
        """The most likely tokens, chosen greedily one after another."""
        limit = max_tokens(samples)
        inputs = self._encode(samples)
        token, caches = self._first_step(inputs)
        inputs.update(caches, use_cache_branch=np.array([True]))
        return self._continue([], token, inputs, limit)

    def _continue(
        self, tokens: list[int], token: int, inputs: TensorsByName, limit: int
    ) -> list[int]:
        """Go on from `tokens`, of which the next is `token`, until the end."""
        while token != END_TOKEN and len(tokens) < limit:
            tokens.append(token)
            inputs["input_ids"] = np.array([[token]], dtype=np.int64)
            logits, *grown = self._decoder.run(["logits", *self._growing_caches], inputs)
            inputs.update(zip(map(as_past, self._growing_caches), grown, strict=True))
            token = int(logits[0, -1].argmax())
        return tokens

    def _encode(self, samples: Floats) -> TensorsByName:
        samples = padded(samples)
        mask = np.ones((1, len(samples)), dtype=np.int64)
        audio: TensorsByName = {"input_values": samples[np.newaxis], "attention_mask": mask}
        (hidden,) = self._encoder.run(None, _only(audio, self._encoder))
        states: TensorsByName = {"encoder_hidden_states": hidden, "encoder_attention_mask": mask}
        return _only(states, self._decoder)

    def _first_step(self, inputs: TensorsByName) -> tuple[int, TensorsByName]:
        empty = np.zeros((1, self._sizes.heads, 0, self._sizes.head_size), dtype=np.float32)
        first: TensorsByName = {
            **inputs,
            **dict.fromkeys(map(as_past, self._caches), empty),
            "input_ids": np.array([[START_TOKEN]], dtype=np.int64),
            "use_cache_branch": np.array([False]),
        }
        logits, *caches = self._decoder.run(["logits", *self._caches], first)
        past = dict(zip(map(as_past, self._caches), caches, strict=True))
        return int(logits[0, -1].argmax()), past


def _only(tensors: TensorsByName, session: OnnxSession) -> TensorsByName:
    """Those that the session takes: Base's graphs have no masks."""
    taken = {value.name for value in session.get_inputs()}
    return {name: tensor for name, tensor in tensors.items() if name in taken}


def as_past(output: str) -> str:
    """The input that takes, at the next step, what `output` gave at this one."""
    return output.replace("present", "past_key_values", 1)
