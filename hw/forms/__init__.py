"""What both forms of a project have: its folder, its manifest, what was found of it, its words and its comments."""
