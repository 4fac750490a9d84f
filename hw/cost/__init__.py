"""Estimates of area and speed before any vendor tool is run."""
