"""nvidia-riva-client as it comes: prints each response as a line of JSON.

riva_live.py ADDRESS live|recording|models RECORDING [OPTIONS]

The file is sent with its header, as the package does it. OPTIONS is an object in JSON: `config`
has fields of `RecognitionConfig`, `terms` are boosted, `pause_s` comes behind each message, and
`token` is shown to the server. A failure is a line, too.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import riva.client
from google.protobuf.json_format import MessageToDict
from riva.client.proto import riva_asr_pb2


def show(response: Any) -> None:
    print(json.dumps(MessageToDict(response, preserving_proto_field_name=True)), flush=True)


def main(address: str, kind: str, path: str, given: str = "{}") -> None:
    options = json.loads(given)
    metadata = [["authorization", f"Bearer {options['token']}"]] if "token" in options else None
    service = riva.client.ASRService(riva.client.Auth(uri=address, metadata_args=metadata))
    config = riva.client.RecognitionConfig(
        encoding=riva.client.AudioEncoding.LINEAR_PCM,
        language_code="en-US",
        max_alternatives=1,
        **options.get("config", {}),
    )
    riva.client.add_audio_file_specs_to_config(config, path)
    riva.client.add_word_boosting_to_config(config, options.get("terms"), 20.0)
    try:
        if kind == "models":
            request = riva_asr_pb2.RivaSpeechRecognitionConfigRequest(**options)
            show(service.stub.GetRivaSpeechRecognitionConfig(request))
        elif kind == "recording":
            show(service.offline_recognize(Path(path).read_bytes(), config))
        else:
            pause_s = options.get("pause_s", 0)
            delay = lambda _chunk, _seconds: time.sleep(pause_s)  # noqa: E731
            streaming = riva.client.StreamingRecognitionConfig(config=config, interim_results=True)
            with riva.client.AudioChunkFileIterator(path, 4_800, delay) as chunks:
                for response in service.streaming_response_generator(chunks, streaming):
                    show(response)
    except grpc.RpcError as error:
        print(json.dumps({"error": error.code().name, "message": error.details()}))


main(*sys.argv[1:])
