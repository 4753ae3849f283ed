import sys
import wave

import grpc

messages, services = grpc.protos_and_services("streamer/v1/streaming.proto")


def requests(path):
    with wave.open(path) as recording:
        rate, channels = recording.getframerate(), recording.getnchannels()
        yield messages.StreamRequest(start={"format": {"sample_rate": rate, "channels": channels}})
        while audio := recording.readframes(rate // 10):
            yield messages.StreamRequest(audio=audio)


address, path = sys.argv[1:]
with grpc.insecure_channel(address) as channel:
    for event in services.StreamingStub(channel).Stream(requests(path)):
        if event.HasField("segment"):
            print(f"{event.segment.start_time:6.2f}  {event.segment.text}")
