"""Real servers, clients and sounds, for the tools and for the tests."""
