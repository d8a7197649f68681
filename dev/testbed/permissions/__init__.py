"""Who may do what with the shipped manifests: asked of a real API server, and compared with a table.

`expected.yaml` is the table; `matrix` asks. `documented` writes the rights that the manifests give into
docs/security.md.
"""
