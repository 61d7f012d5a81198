"""`python -m sloproof`, where the command is not on the path."""

import sys

from sloproof.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
