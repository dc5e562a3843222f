"""Entry point of the `harness` command and of `python -m harness`."""

from harness.cli.app import main

if __name__ == "__main__":
    main()
