"""Moves the alias of the champion: a promotion, or a rollback. Imports no data science."""
