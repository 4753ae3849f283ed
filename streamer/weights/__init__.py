"""Model weights: which files a model needs, where they are, fetching and verifying them.

`manifest_schema.py` has the fields of a `model.json`, `manifest.py` finds and checks models;
`download.py`, `extract.py` and `fetch.py` get their files, all or nothing; `sample.py` is a
recording to try with.

May import: config.
"""

from streamer.weights.manifest import (
    BadManifest,
    FileState,
    MissingModel,
    ModelError,
    ModelFolder,
    UnknownModel,
    check_files,
    find_model,
    known_models,
    load_manifest,
    manifest_of,
    models_dir,
    require,
    verify,
)

__all__ = [
    "BadManifest",
    "FileState",
    "MissingModel",
    "ModelError",
    "ModelFolder",
    "UnknownModel",
    "check_files",
    "find_model",
    "known_models",
    "load_manifest",
    "manifest_of",
    "models_dir",
    "require",
    "verify",
]
