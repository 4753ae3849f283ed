"""The schema of the messages, as each place describes it, and how it differs from the server's."""
