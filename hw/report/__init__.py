"""The report of a network or project: terminal, JSON, HTML."""
