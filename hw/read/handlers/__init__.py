"""One function per operator of a file: what it makes of the values read so far."""
