"""Transcribe live with OpenAI's client; `OPENAI_BASE_URL` says where."""

import asyncio
import base64
import sys
import wave

try:
    from openai import AsyncOpenAI, OpenAIError
    from openai.resources.realtime.realtime import AsyncRealtimeConnection
except ImportError:
    sys.exit(f"this script needs openai: {sys.executable} -m pip install --upgrade openai")
if len(sys.argv) != 2:
    sys.exit("usage: openai_realtime.py RECORDING.WAV")


async def send(connection: AsyncRealtimeConnection, recording: wave.Wave_read) -> None:
    """Send 100 ms at a time, as fast as the microphone would."""
    while audio := recording.readframes(recording.getframerate() // 10):
        await connection.input_audio_buffer.append(audio=base64.b64encode(audio).decode())
        await asyncio.sleep(0.1)
    await connection.input_audio_buffer.commit()


async def main() -> None:
    with wave.open(sys.argv[1]) as recording:  # 16 bits, mono
        encoding = {"type": "audio/pcm", "rate": recording.getframerate()}
        audio_input = {"format": encoding, "turn_detection": None}
        session = {"type": "transcription", "audio": {"input": audio_input}}
        query = {"intent": "transcription"}
        async with AsyncOpenAI().realtime.connect(extra_query=query) as connection:
            await connection.session.update(session=session)  # type: ignore[arg-type]
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(send(connection, recording))
                async for event in connection:
                    if event.type == "conversation.item.input_audio_transcription.delta":
                        print(event.delta, end="", flush=True)
                    if event.type == "conversation.item.input_audio_transcription.completed":
                        print(f"\n{event.transcript}")
                        break
                    if event.type == "error":
                        sys.exit(event.error.message)


try:
    asyncio.run(main())
except* (OpenAIError, OSError, wave.Error) as errors:  # no server, no key, no such file …
    sys.exit(f"openai_realtime.py: {errors.exceptions[0]}")
