"""A file evaluated in float64, by operators of its own."""
