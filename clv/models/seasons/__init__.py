"""Seasons: a purchase rate that follows the calendar, as the plain model in operational time."""
