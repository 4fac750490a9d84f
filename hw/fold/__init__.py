"""How many lanes each unit gets: the search, its targets and its options."""
