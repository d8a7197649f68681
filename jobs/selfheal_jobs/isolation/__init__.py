"""Runs the code of a model that others may have made, in a process that can harm nothing."""
