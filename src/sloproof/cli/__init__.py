"""The command line: one small file a command, which wires and prints; nothing else exits."""

from sloproof.cli.app import main

__all__ = ["main"]
