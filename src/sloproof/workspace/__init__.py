"""Finds and loads the definitions, and writes what they imply."""

from sloproof.workspace.loading import Located, Workspace, load_workspace

__all__ = ["Located", "Workspace", "load_workspace"]
