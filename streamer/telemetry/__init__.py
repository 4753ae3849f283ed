"""What operators see: metrics, traces and logs, each behind an interface of the streaming path."""
