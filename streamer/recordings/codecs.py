"""The decoders that strangers' bytes may reach."""

PCM = tuple(
    f"pcm_{name}"
    for name in (
        "alaw", "mulaw", "u8", "s8", "s8_planar", "s16le", "s16be", "s16le_planar", "s16be_planar",
        "u16le", "u16be", "s24le", "s24be", "s24le_planar", "u24le", "u24be", "s32le", "s32be",
        "s32le_planar", "u32le", "u32be", "s64le", "s64be", "f32le", "f32be", "f64le", "f64be",
    )
)  # fmt: skip
"""FFmpeg's names of uncompressed audio and G.711."""

ADPCM = ("adpcm_ima_wav", "adpcm_ima_qt", "adpcm_ms", "adpcm_swf", "adpcm_yamaha", "g722", "g726",
         "g726le")  # fmt: skip
"""FFmpeg's names of ADPCM as WAV, AIFF and AU files hold it."""

COMPRESSED = (
    "aac", "aac_latm", "ac3", "alac", "amrnb", "amrwb", "eac3", "flac", "gsm", "gsm_ms", "libopus",
    "libopencore_amrnb", "libopencore_amrwb", "mp1", "mp1float", "mp2", "mp2float", "mp3",
    "mp3float", "opus", "speex", "vorbis", "wmalossless", "wmapro", "wmav1", "wmav2", "wmavoice",
)  # fmt: skip
"""FFmpeg's names of the rest. All are decoders of audio: none of video, pictures or subtitles."""

ALLOWED = frozenset((*PCM, *ADPCM, *COMPRESSED))
"""All of them."""
