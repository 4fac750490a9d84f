"""Everything that must be equal, compared: the chain of equality, and the proofs."""
