"""What customers are worth, and what they will order."""
