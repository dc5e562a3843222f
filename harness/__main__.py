"""Entry point of the `harness` command and of `python -m harness`."""

import sys


def main() -> None:
    """Run the command line, which ends in `SystemExit`; quiet where Ctrl-C comes this early."""
    try:
        from harness.cli.app import main as command_line
    except KeyboardInterrupt:
        sys.exit(130)
    command_line()


if __name__ == "__main__":
    main()
