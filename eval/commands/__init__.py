"""The commands: each turns options into one typed call of the library and prints its result."""
