"""Attacks a real API server and a real operator, and shows that each attack is held.

`python -m siege` (or `make siege`) starts a local cluster with the shipped manifests, and an operator with
the token of its own ServiceAccount. Each file that `siege.all_attacks` lists has the attacks of one kind. An
attack says what it saw. One that could not be tried, or was refused by something else than expected, is not
held.

Attacks on runs start the container's command by the operator's own manifest, with real Secrets and a token
that is bound to a pod, against a real MLflow, a real PostgreSQL and web servers.

`python -m siege --mutations` takes one guard away at a time, and shows that attacks succeed without it.
"""
