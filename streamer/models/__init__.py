"""The models that come with the server."""
