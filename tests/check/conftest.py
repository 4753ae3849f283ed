"""Folders of classifiers, as `tests/models` writes them."""

from tests.models.conftest import classifier

__all__ = ["classifier"]
