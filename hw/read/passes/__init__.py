"""Rewrites of a graph, one per file; each returns the graph and whether it changed."""
