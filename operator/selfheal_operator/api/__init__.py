"""The words that the operator, its containers and its users share. Does nothing."""
