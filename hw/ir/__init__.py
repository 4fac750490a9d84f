"""The integer graph: typed layers with exact ranges, its interpreter, test vectors, and the host's arithmetic."""
