"""Second opinions on a fit: assumptions tested, other programs asked."""
