"""`python -m selfheal_operator`."""

from selfheal_operator.main import main

main()
