"""Pipecat's STT services as they come, in pipelines: prints what they push as lines of JSON.

pipecat_services.py http://127.0.0.1:8080 KEY recording.wav SERVICE ...

Services: deepgram, flux, openai, assemblyai; they run side by side. The recording is repeated, with
silence behind it, until the standard input ends.
"""

import asyncio
import json
import sys
import wave

from loguru import logger
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker, ProcessorUnusablePolicy
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.assemblyai.stt import AssemblyAISTTService
from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.openai.stt import OpenAIRealtimeSTTService
from pipecat.services.stt_service import STTService
from pipecat.workers.runner import WorkerRunner

FRAME_S = 0.02
"""Seconds; as Pipecat's transports have it."""

SILENCE_S = 3.0
"""Seconds of silence behind the recording."""

SPEED = 4
"""How much faster than live the audio is sent."""


def stt_service(name: str, base: str, key: str) -> STTService:
    """The service, pointed at a server as the documentation says."""
    socket = base.replace("http", "ws", 1)
    if name == "deepgram":
        return DeepgramSTTService(api_key=key, base_url=socket)
    if name == "flux":
        return DeepgramFluxSTTService(api_key=key, url=f"{socket}/v2/listen")
    if name == "openai":
        return OpenAIRealtimeSTTService(api_key=key, base_url=f"{socket}/v1/realtime")
    if name == "assemblyai":
        return AssemblyAISTTService(api_key=key, api_endpoint_base_url=f"{socket}/v3/ws")
    raise ValueError(name)


class Transcription(FrameProcessor):
    """One service at work: the end of its pipeline.

    Args:
        service: Which one.
        stopping: Set when the input is to end.
    """

    def __init__(self, service: str, stopping: asyncio.Event) -> None:
        super().__init__()
        self._service = service
        self._stopping = stopping

    async def run(self, base: str, key: str, path: str) -> None:
        """Until the input has ended, or the service has given up."""
        with wave.open(path) as wav:
            rate, audio = wav.getframerate(), wav.readframes(wav.getnframes())
        worker = PipelineWorker(
            Pipeline([stt_service(self._service, base, key), self]),
            params=PipelineParams(audio_in_sample_rate=rate),
            processor_unusable_policy=ProcessorUnusablePolicy.CANCEL,
        )

        async def on_error(worker: PipelineWorker, frame: ErrorFrame) -> None:
            assert frame.category is not None
            self._show(
                "error",
                error=type(frame.exception).__name__,
                category=frame.category.value,
                message=frame.error,
            )

        worker.add_event_handler("on_pipeline_error", on_error)
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(worker)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(runner.run())
            feeding = tasks.create_task(self._feed(worker, audio, rate))
            running.add_done_callback(lambda _: feeding.cancel())
        self._show("ended")

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Print the transcripts."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TranscriptionFrame):
            self._show("final_transcript", text=frame.text)
        elif isinstance(frame, InterimTranscriptionFrame):
            self._show("interim_transcript", text=frame.text)
        await self.push_frame(frame, direction)

    def _show(self, kind: str, **fields: object) -> None:
        print(json.dumps({"service": self._service, "type": kind, **fields}), flush=True)

    async def _feed(self, worker: PipelineWorker, audio: bytes, rate: int) -> None:
        """Queue audio, and the frames of a detector that finds speech in the recording."""
        silence = bytes(2 * int(rate * SILENCE_S))
        while not self._stopping.is_set():
            await worker.queue_frame(VADUserStartedSpeakingFrame())
            await self._queue(worker, audio, rate)
            await worker.queue_frame(VADUserStoppedSpeakingFrame())
            await self._queue(worker, silence, rate)
        await worker.stop_when_done()

    async def _queue(self, worker: PipelineWorker, audio: bytes, rate: int) -> None:
        size = 2 * int(rate * FRAME_S)
        for first in range(0, len(audio), size):
            if self._stopping.is_set():
                return
            await worker.queue_frame(InputAudioRawFrame(audio[first : first + size], rate, 1))
            await asyncio.sleep(FRAME_S / SPEED)


async def main(base: str, key: str, path: str, *services: str) -> None:
    logger.remove()  # it writes everything to the standard error
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stopping.set)
    async with asyncio.TaskGroup() as tasks:
        for service in services:
            tasks.create_task(Transcription(service, stopping).run(base, key, path))


asyncio.run(main(*sys.argv[1:]))
