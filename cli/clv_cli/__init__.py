"""The `clv` command. Thin: a command asks `clv`, and prints what it says."""
