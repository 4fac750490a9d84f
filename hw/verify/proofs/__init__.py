"""Proofs that run on any project: multiplier-free by compilation, source rules, FIFO depths, mutations."""
