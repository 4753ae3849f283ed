"""What is served beside the sockets."""
