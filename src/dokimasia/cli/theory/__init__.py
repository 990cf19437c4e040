"""`dokimasia theory`: one command a model. Each parses, calls one function of the theory room, and prints."""
