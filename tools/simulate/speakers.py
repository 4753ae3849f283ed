"""Clients of the servers, in simulated time: each speaks, pauses, and waits for its finals."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

import simpy

from streamer_client.reconnect import delay_s
from tools.simulate.costs import Costs
from tools.simulate.speech import WINDOW_S, SpeechLoop, Utterance
from tools.simulate.workers import Process, SimulatedJob, Workers


@dataclass(frozen=True)
class SimulatedFinal:
    """One result: when its speech ended, and how much later it came, in seconds."""

    spoken_s: float
    latency_s: float


@dataclass
class Crowd:
    """Streams that speak at several servers.

    Attributes:
        environment: Has the clock.
        loop: What all of them say, each from another place.
        costs: Of what is said.
        servers: Where they are; a new stream goes to the one with the fewest.
        chance: Of reconnecting.
        finals: That have come.
    """

    environment: simpy.Environment
    loop: SpeechLoop
    costs: Costs
    servers: Sequence[Workers]
    chance: random.Random
    finals: list[SimulatedFinal] = field(default_factory=list)

    def open(self, begin_s: float, offset_s: float, end_s: float) -> None:
        """A stream that begins at `begin_s`, with the audio from `offset_s` on, until `end_s`."""
        self.environment.process(self._speak(_Speaker(self._fewest()), begin_s, offset_s, end_s))

    def _fewest(self) -> Workers:
        """Where a new stream is, like `balance leastconn`."""
        server = min((s for s in self.servers if s.alive), key=lambda each: each.streams)
        server.streams += 1
        return server

    def _speak(self, speaker: "_Speaker", begin_s: float, offset_s: float, end_s: float) -> Process:
        for spoken in self.loop.from_(offset_s):
            if begin_s + spoken.end_s + self.loop.min_silence_s > end_s:
                return
            for pause in spoken.pauses:
                early_s = pause.start_s + self._patience_s(speaker, spoken, pause.start_s)
                if early_s < pause.end_s:
                    yield from self._until(begin_s + early_s)
                    server = speaker.server
                    job = self._submit(speaker, spoken, pause.start_s, early=True)
                    yield from self._until(begin_s + pause.end_s)
                    server.withdraw(job)
            ended_s = spoken.end_s
            early_s = ended_s + self._patience_s(speaker, spoken, ended_s)
            yield from self._until(begin_s + early_s)
            server = speaker.server
            job = self._submit(speaker, spoken, ended_s, early=True)
            yield from self._until(begin_s + ended_s + self.loop.min_silence_s)
            server.confirm(job)
            self.environment.process(self._receive(speaker, spoken, job, begin_s + ended_s))

    def _receive(
        self, speaker: "_Speaker", spoken: Utterance, job: SimulatedJob, spoken_s: float
    ) -> Process:
        """Wait for a final; if its server is gone, send the audio again to another one."""
        while not (yield job.settled):
            if not speaker.server.alive:
                yield self.environment.timeout(delay_s(1, None, self.chance.random()))
            if not speaker.server.alive:
                speaker.server = self._fewest()
            job = self._submit(speaker, spoken, spoken.end_s, early=False)
        latency_s = self.environment.now - spoken_s + self.costs.overhead_s
        self.finals.append(SimulatedFinal(spoken_s, latency_s))

    def _submit(
        self, speaker: "_Speaker", spoken: Utterance, ended_s: float, *, early: bool
    ) -> SimulatedJob:
        media_s = ended_s + self.loop.suffix_s - spoken.start_s
        return speaker.server.submit(speaker, media_s, media_s * self.costs.inference, early=early)

    def _patience_s(self, speaker: "_Speaker", spoken: Utterance, ended_s: float) -> float:
        """From the end of speech to the beginning of the early final.

        As `Segmenter`: with the first window that leaves no more time than needed after the next.
        """
        media_s = ended_s + self.loop.suffix_s - spoken.start_s
        lead_s = speaker.server.lead_seconds(media_s)
        patience_s = max(self.loop.suffix_s, self.loop.min_silence_s - lead_s - WINDOW_S)
        return ceil(patience_s / WINDOW_S) * WINDOW_S

    def _until(self, at_s: float) -> Process:
        if at_s > self.environment.now:
            yield self.environment.timeout(at_s - self.environment.now)


@dataclass(eq=False)
class _Speaker:
    """A client, and the server that it is connected to."""

    server: Workers
