"""`ModelMonitor`: the source of the CRD in `crds/`, and how every part of selfheal reads one.

A field's docstring starts with its wire name and becomes its description in the CRD, so that
`kubectl explain` says what is written here. Defaults are applied on reading, never by the API server:
what is absent from a user's manifest stays absent, and GitOps tools see no difference.
Unknown fields are ignored: an older operator survives a newer CRD.
"""
