"""The network of Silero VAD, in NumPy.

ONNX Runtime spends most of its time on this network with the making of small matrices: it goes
through the convolutions one window and four frames at a time. Here they are matrix products over
all windows at once, with the time axis laid out in the matrix, at less than half the cost
(`make bench-alternatives`).

Model: https://github.com/snakers4/silero-vad (MIT), the 16 kHz network. A window of 512 samples
with the last 64 of the one before it goes through a short-time Fourier transform (256 samples,
every 128), four convolutions over the magnitudes, an LSTM cell, and one output:

    encode         [n, 64 + 512] → 4 × 129 magnitudes → 4 × 128 → 2 × 64 → 64 → 128 → 4 gates × 128
    step           gates [batch, 4 × 128], state [2, batch, 128] → state
    probabilities  hidden state [n, 128] → n

Only `step` must go from window to window; the others take all windows of all channels at once. So
what the gates get from the window is found in `encode`, and `step` adds what they get from the
state.
"""

from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from streamer.onnx.graph import Floats
from streamer.onnx.weights import read_weights

SAMPLE_RATE = 16_000
WINDOW = 512
CONTEXT = 64
STATE = 128
GATES = 4 * STATE

_PADDING = 64
_FFT, _HOP = 256, 128
_FRAMES = (CONTEXT + WINDOW + _PADDING - _FFT) // _HOP + 1
_BINS = _FFT // 2 + 1
_STRIDES = (1, 2, 2, 1)

_AT_ONCE = 256
"""Windows of a long signal that are encoded together; they take 20 KB each."""


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
            self._from_features, self._from_hidden, self._gates_bias = _gates(weights)
            self._output = weights["model.decoder.decoder.2.weight"].reshape(STATE)
            self._output_bias = weights["model.decoder.decoder.2.bias"][0]
        except KeyError as error:
            raise ValueError(f"{path} is not Silero's 16 kHz network: no {error}") from None

    @staticmethod
    def start(channels: int = 1) -> Floats:
        """The state [2, channels, 128] at the start of their streams."""
        return np.zeros((2, channels, STATE), dtype=np.float32)

    def encode(self, windows: Floats) -> Floats:
        """What the gates [n, 512] get from windows, in any order and of any channels.

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
        gates: Floats = values @ self._from_features
        gates += self._gates_bias
        return gates

    def step(self, gates: Floats, state: Floats) -> None:
        """Go on by one window of each channel.

        Args:
            gates: float32 [batch, 512], of `encode`.
            state: float32 [2, batch, 128], as `start` makes it; the next state is written to it.
        """
        hidden, cell = state
        gates = gates + hidden @ self._from_hidden
        np.tanh(gates, out=gates)
        # In, forget and out are sigmoids: of x, (1 + tanh(x / 2)) / 2. The halves of the first
        # are in the matrices, those of the second come at the end.
        gates[:, : 3 * STATE] += 1
        let_in, keep, let_out, new = (gates[:, at : at + STATE] for at in range(0, GATES, STATE))
        new *= let_in
        cell *= keep
        cell += new
        cell *= 0.5
        np.tanh(cell, out=hidden)
        hidden *= let_out
        hidden *= 0.5

    def probabilities(self, hidden: Floats) -> Floats:
        """Of speech [n], from the hidden state [n, 128] that each window has left."""
        score = np.maximum(hidden, 0) @ self._output + self._output_bias
        found: Floats = 0.5 * (1 + np.tanh(0.5 * score))
        return found

    def follow(self, audio: Floats, state: Floats) -> tuple[list[float], Floats]:
        """Probabilities of the windows of one channel, one after another, and the next state.

        Args:
            audio: float32 [64 + n], context first; of n, what does not fill a window is left.
            state: float32 [2, 1, 128].
        """
        if len(audio) < CONTEXT + WINDOW:
            return [], state
        windows = np.lib.stride_tricks.sliding_window_view(audio, CONTEXT + WINDOW)[::WINDOW]
        state = state.copy()
        hidden = np.empty((len(windows), STATE), dtype=np.float32)
        for first in range(0, len(windows), _AT_ONCE):
            for turn, gates in enumerate(self.encode(windows[first : first + _AT_ONCE]), first):
                self.step(gates[np.newaxis], state)
                hidden[turn] = state[0, 0]
        return self.probabilities(hidden).tolist(), state


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


def _gates(weights: dict[str, Floats]) -> tuple[Floats, Floats, Floats]:
    """The LSTM's two matrices, of features and of the hidden state, and its bias.

    Its gates in, forget, new, out in the order in, forget, out, new, so that the sigmoids lie
    together; their arguments halved.
    """
    order = np.r_[: 2 * STATE, 3 * STATE : GATES, 2 * STATE : 3 * STATE]
    half = np.repeat(np.array([0.5, 0.5, 0.5, 1], dtype=np.float32), STATE)
    from_features, from_hidden = (
        np.ascontiguousarray(weights[f"model.decoder.rnn.weight_{kind}"][order].T) * half
        for kind in ("ih", "hh")
    )
    bias = weights["model.decoder.rnn.bias_ih"] + weights["model.decoder.rnn.bias_hh"]
    return from_features, from_hidden, bias[order] * half
