"""Load: profiles that say how a system is loaded, a generator process that does it, results that tell the truth.

Importing this room imports no Locust; only its child process does.
"""
