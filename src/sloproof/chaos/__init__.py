"""How it is broken: experiments, faults, their undo, and the Chaos Toolkit as a child process."""
