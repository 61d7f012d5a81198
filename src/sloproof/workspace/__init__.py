"""Finds and loads the definitions, and writes what they imply."""

from sloproof.workspace.contradictions import Located
from sloproof.workspace.loading import Workspace, load_workspace

__all__ = ["Located", "Workspace", "load_workspace"]
