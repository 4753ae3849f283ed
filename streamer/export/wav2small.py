"""wav2small: arousal, dominance and valence of a voice as perceived, from a small VGG.

Kounadis-Bastian et al., "Wav2Small: Distilling Wav2Vec2 to 72K Parameters for Low-Resource Speech
Emotion Recognition", 2024 (https://arxiv.org/abs/2408.13920). The published weights are licensed
CC BY-NC-SA 4.0, for research; the code here is written from the network's description. Modules are
named so that their tensors have the names in the published file.
"""

import torch
from torch import Tensor, nn

N_FFT, HOP = 64, 32
MELS = 26
CHANNELS = 13
SCORES = 3
VARIANCE_EPSILON = 1e-7
SHORTEST_SAMPLES = N_FFT
"""One frame: the spectrogram is not padded."""

POOLED_MELS = MELS // 2
FEATURES = CHANNELS * (POOLED_MELS + CHANNELS)


class Wav2Small(nn.Module):
    """float32 [batch, samples] at 16 kHz, any level -> float32 [batch, 3], about 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.vgg7 = _Vgg7()
        self.adv = nn.Linear(FEATURES, SCORES)

    def forward(self, waveform: Tensor) -> Tensor:
        """Score each waveform, brought to zero mean and unit variance first."""
        centred = waveform - waveform.mean(1, keepdim=True)
        variance = (centred * centred).mean(1, keepdim=True)
        scores: Tensor = self.adv(self.vgg7(centred / torch.sqrt(variance + VARIANCE_EPSILON)))
        return scores


class _Vgg7(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.spectrogram_extractor = _Spectrogram()
        self.logmel_extractor = _LogMel()
        self.l1 = _Convolution(1)
        self.l2, self.l3 = _Convolution(), _Convolution()
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.l4, self.l5, self.l6, self.l7 = (_Convolution() for _ in range(4))
        self.lin = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.sof = nn.Conv2d(CHANNELS, CHANNELS, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.logmel_extractor(self.spectrogram_extractor(x))
        x = self.pool(self.l3(self.l2(self.l1(x))))
        x = self.l7(self.l6(self.l5(self.l4(x))))
        pooled = (self.lin(x) * self.sof(x).softmax(2)).sum(2)  # over frames: [batch, 13, 13]
        gram = pooled @ pooled.transpose(1, 2)
        # Each channel's row of its mels is followed by its row of the Gram matrix.
        return torch.cat([pooled, gram], 2).flatten(1)


class _Spectrogram(nn.Module):
    """Power spectrogram [batch, 33, frames]: the window and the transform are the weights."""

    def __init__(self) -> None:
        super().__init__()
        bins = N_FFT // 2 + 1
        self.conv_real = nn.Conv1d(1, bins, N_FFT, stride=HOP, bias=False)
        self.conv_imag = nn.Conv1d(1, bins, N_FFT, stride=HOP, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(1)
        real, imaginary = self.conv_real(x), self.conv_imag(x)
        power: Tensor = real * real + imaginary * imaginary
        return power


class _LogMel(nn.Module):
    """Decibels in mel bands [batch, 1, frames, mels]."""

    melW: Tensor  # noqa: N815 – its name in the file
    amin: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("melW", torch.zeros(N_FFT // 2 + 1, MELS))
        self.register_buffer("amin", torch.zeros(1))

    def forward(self, power: Tensor) -> Tensor:
        mel = (power.transpose(1, 2) @ self.melW).unsqueeze(1)
        return 10 * torch.log10(torch.maximum(mel, self.amin))


class _Convolution(nn.Module):
    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, CHANNELS, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x)))
