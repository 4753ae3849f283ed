"""`python -m streamer_client` and the `streamer-client` command."""

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:2] == ["load"]:
        sys.stderr.write("streamer-client: this command is now `streamer load`\n")
        return 2
    try:
        from streamer_client import cli  # its imports take long enough to be interrupted
    except KeyboardInterrupt:
        return 130
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
