"""The network of Silero VAD, in NumPy.

ONNX Runtime spends most of its time on this network with the making of small matrices: it goes
through the convolutions one window and four frames at a time. Here they are matrix products over
all windows at once, with the time axis laid out in the matrix, at less than half the cost
(`make bench-alternatives`). Two halves of the work are left out: what a convolution would multiply
with zeros, and what is the same twice in the cosines and sines of the Fourier transform.

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

from dataclasses import dataclass
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
            self._cosines, self._sines = _folded(weights["model.stft.forward_basis_buffer"][:, 0].T)
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
        values = self._magnitudes(windows)
        for layer in self._layers:
            values = layer.apply(values)
        gates: Floats = values @ self._from_features
        gates += self._gates_bias
        return gates

    def _magnitudes(self, windows: Floats) -> Floats:
        """Of the Fourier transforms of the four frames of each window, [n, 4 * 129]."""
        mirrored = windows[:, -2 : -2 - _PADDING : -1]
        hops = np.concatenate((windows, mirrored), axis=1).reshape(len(windows), -1, _HOP)
        # A frame is two hops. Cosines are the same for its samples i and -i, sines the opposite.
        first, second = hops[:, :-1], hops[:, 1:]
        backwards = second[:, :, :0:-1]
        even = np.empty((len(windows), _FRAMES, _BINS), dtype=np.float32)
        even[:, :, 0] = first[:, :, 0]
        np.add(first[:, :, 1:], backwards, out=even[:, :, 1:_HOP])
        even[:, :, _HOP] = second[:, :, 0]
        odd = first[:, :, 1:] - backwards
        powers = even.reshape(-1, _BINS) @ self._cosines
        powers *= powers
        imaginary = odd.reshape(-1, _HOP - 1) @ self._sines
        imaginary *= imaginary
        powers[:, 1:_HOP] += imaginary  # the first and the last bin have no sine
        np.sqrt(powers, out=powers)
        magnitudes: Floats = powers.reshape(len(windows), _FRAMES * _BINS)
        return magnitudes

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


def _folded(basis: Floats) -> tuple[Floats, Floats]:
    """The cosines of samples 0 to 128, and the sines of 1 to 127 without the bins that have none.

    Args:
        basis: [256, 2 * 129], of the windowed Fourier transform.

    Raises:
        ValueError: Its second half is not the mirror image of the first.
    """
    cosines, sines = basis[:, :_BINS], basis[:, _BINS:]
    backwards = slice(None, _HOP, -1)
    alike = np.array_equal(cosines[1:_HOP], cosines[backwards])
    opposite = np.array_equal(sines[1:_HOP], -sines[backwards])
    if not alike or not opposite or sines[[0, _HOP]].any() or sines[:, [0, _HOP]].any():
        raise ValueError("the basis of the Fourier transform is not symmetric")
    return np.ascontiguousarray(cosines[: _HOP + 1]), np.ascontiguousarray(sines[1:_HOP, 1:_HOP])


@dataclass(frozen=True)
class _Convolution:
    """Three taps, padded by one, as a matrix for each frame that is made.

    Attributes:
        frames: For each of them, the first value and one past the last that it is made of, and the
            matrix of their taps. The padding has none.
        bias: Of each value of a frame.
    """

    frames: tuple[tuple[int, int, Floats], ...]
    bias: Floats

    def apply(self, values: Floats) -> Floats:
        """Of float32 [n, frames * channels], in the same form, and rectified."""
        made = np.empty((len(values), len(self.frames), len(self.bias)), dtype=np.float32)
        for number, (begin, end, matrix) in enumerate(self.frames):
            np.matmul(values[:, begin:end], matrix, out=made[:, number])
        made += self.bias
        np.maximum(made, 0, out=made)
        return made.reshape(len(values), -1)


def _unroll(weights: dict[str, Floats]) -> list[_Convolution]:
    """The encoder's convolutions."""
    layers, given = [], _FRAMES
    for number, stride in enumerate(_STRIDES):
        taps = weights[f"model.encoder.{number}.reparam_conv.weight"]
        bias = weights[f"model.encoder.{number}.reparam_conv.bias"]
        channels, frames = taps.shape[1], []
        for middle in range(0, given, stride):
            first, last = max(middle - 1, 0), min(middle + 1, given - 1)
            used = [taps[:, :, at - middle + 1].T for at in range(first, last + 1)]
            matrix = np.ascontiguousarray(np.concatenate(used))
            frames.append((first * channels, (last + 1) * channels, matrix))
        layers.append(_Convolution(tuple(frames), bias))
        given = len(frames)
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
