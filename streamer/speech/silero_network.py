"""The network of Silero VAD, in NumPy.

ONNX Runtime spends most of its time on this network with the making of small matrices: it goes
through the convolutions one window and four frames at a time. Here they are matrix products over
all windows at once, with the time axis laid out in the matrix, at less than half the cost
(`make bench-alternatives`).

Model: https://github.com/snakers4/silero-vad (MIT), the 16 kHz network. A window of 512 samples
with the last 64 of the one before it goes through a short-time Fourier transform (256 samples,
every 128), four convolutions over the magnitudes, an LSTM cell, and one output:

    encode   [n, 64 + 512] → 4 × 129 magnitudes → 4 × 128 → 2 × 64 → 64 → 128    any windows
    step     128 + state [2, batch, 128] → probability, state        one window of each channel
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from streamer.speech.onnx_weights import read_weights

SAMPLE_RATE = 16_000
WINDOW = 512
CONTEXT = 64
FEATURES = STATE = 128

_PADDING = 64
_FFT, _HOP = 256, 128
_FRAMES = (CONTEXT + WINDOW + _PADDING - _FFT) // _HOP + 1
_BINS = _FFT // 2 + 1
_STRIDES = (1, 2, 2, 1)

_AT_ONCE = 256
"""Windows of a long signal that are encoded together; they take 20 KB each."""

Floats = npt.NDArray[np.float32]


class SileroNetwork:
    """The network alone: pure, synchronous, without any state of its own.

    To make one keeps the linear algebra of NumPy to one thread, in the whole process: the matrices
    are too small to be shared, and a second thread costs more than it does.

    Args:
        path: `silero_vad_16k_op15.onnx`, of which only the weights are used.

    Raises:
        ValueError: The file holds other weights.
    """

    def __init__(self, path: Path) -> None:
        threadpool_limits(1, user_api="blas")
        weights = read_weights(path)
        try:
            self._transform = np.ascontiguousarray(
                weights["model.stft.forward_basis_buffer"][:, 0].T
            )
            self._layers = _unroll(weights)
            self._gates, self._gates_bias = _join(weights)
            self._output = weights["model.decoder.decoder.2.weight"].reshape(STATE)
            self._output_bias = weights["model.decoder.decoder.2.bias"][0]
        except KeyError as error:
            raise ValueError(f"{path} is not Silero's 16 kHz network: no {error}") from None

    @staticmethod
    def start(channels: int = 1) -> Floats:
        """The state [2, channels, 128] at the start of their streams."""
        return np.zeros((2, channels, STATE), dtype=np.float32)

    def encode(self, windows: Floats) -> Floats:
        """Features [n, 128] of windows, in any order and of any channels.

        Args:
            windows: float32 [n, 64 + 512], context first.
        """
        mirrored = windows[:, -2 : -2 - _PADDING : -1]
        hops = np.concatenate((windows, mirrored), axis=1).reshape(len(windows), -1, _HOP)
        frames = np.concatenate((hops[:, :-1], hops[:, 1:]), axis=2).reshape(-1, _FFT)
        spectrum = frames @ self._transform
        spectrum *= spectrum
        magnitudes = spectrum[:, :_BINS] + spectrum[:, _BINS:]
        np.sqrt(magnitudes, out=magnitudes)
        values = magnitudes.reshape(len(windows), _FRAMES * _BINS)
        for matrix, bias in self._layers:
            values = values @ matrix
            values += bias
            np.maximum(values, 0, out=values)
        return values

    def step(self, features: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Probabilities [batch] of one window of each channel, and the next state.

        Args:
            features: float32 [batch, 128], of `encode`.
            state: float32 [2, batch, 128], as `start` makes it or the last step.
        """
        hidden, cell = state
        gates = np.concatenate((features, hidden), axis=1) @ self._gates
        gates += self._gates_bias
        np.tanh(gates, out=gates)
        # In, forget and out are sigmoids: of x, (1 + tanh(x / 2)) / 2. The halves of the first
        # are in the matrix.
        let_in, keep, new, let_out = np.split(gates, 4, axis=1)
        state = np.empty_like(state)
        hidden, next_cell = state
        np.multiply(1 + keep, cell, out=next_cell)
        next_cell += (1 + let_in) * new
        next_cell *= 0.5
        np.tanh(next_cell, out=hidden)
        hidden *= 1 + let_out
        hidden *= 0.5
        score = np.maximum(hidden, 0) @ self._output + self._output_bias
        probabilities: Floats = 0.5 * (1 + np.tanh(0.5 * score))
        return probabilities, state

    def follow(self, audio: Floats, state: Floats) -> tuple[list[float], Floats]:
        """Probabilities of the windows of one channel, one after another, and the next state.

        Args:
            audio: float32 [64 + n], context first; of n, what does not fill a window is left.
            state: float32 [2, 1, 128].
        """
        if len(audio) < CONTEXT + WINDOW:
            return [], state
        windows = np.lib.stride_tricks.sliding_window_view(audio, CONTEXT + WINDOW)[::WINDOW]
        found: list[float] = []
        for first in range(0, len(windows), _AT_ONCE):
            for features in self.encode(windows[first : first + _AT_ONCE]):
                probabilities, state = self.step(features[np.newaxis], state)
                found.append(float(probabilities[0]))
        return found, state


def _unroll(weights: dict[str, Floats]) -> list[tuple[Floats, Floats]]:
    """Each convolution (3 taps, padded by one) as a matrix over all its frames, and its biases."""
    layers, frames = [], _FRAMES
    for number, stride in enumerate(_STRIDES):
        taps = weights[f"model.encoder.{number}.reparam_conv.weight"]
        bias = weights[f"model.encoder.{number}.reparam_conv.bias"]
        given, made = frames, (frames - 1) // stride + 1
        matrix = np.zeros((given, taps.shape[1], made, taps.shape[0]), dtype=np.float32)
        for to in range(made):
            for tap in range(3):
                at = to * stride + tap - 1
                if 0 <= at < given:
                    matrix[at, :, to] = taps[:, :, tap].T
        layers.append((matrix.reshape(given * taps.shape[1], -1), np.tile(bias, made)))
        frames = made
    return layers


def _join(weights: dict[str, Floats]) -> tuple[Floats, Floats]:
    """The LSTM's two matrices and biases as one each; the sigmoids' arguments halved."""
    parts = [weights[f"model.decoder.rnn.weight_{kind}"] for kind in ("ih", "hh")]
    bias = weights["model.decoder.rnn.bias_ih"] + weights["model.decoder.rnn.bias_hh"]
    half = np.repeat(np.array([0.5, 0.5, 1, 0.5], dtype=np.float32), STATE)
    return np.ascontiguousarray(np.concatenate(parts, axis=1).T) * half, bias * half
