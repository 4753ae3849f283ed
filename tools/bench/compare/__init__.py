"""Compare this checkout of the server with another one, from the outside: `make compare`."""
