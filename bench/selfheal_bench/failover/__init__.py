"""How long it takes until another operator works when the leader ends."""
