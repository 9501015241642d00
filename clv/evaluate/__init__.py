"""How well a model foretells orders that it has not seen."""
