"""A real PostgreSQL for tests, from the programs that a wheel brings."""
