"""One module for each type of signal, with its `SIGNAL`; named as the type is, in snake case."""
