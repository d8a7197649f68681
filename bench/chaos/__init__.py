"""Injects a thousand faults into real operators and a real API server, then audits the result.

`python -m chaos` (or `make chaos`) runs operators as separate processes, each behind a proxy to the API
server that can fail in every way a network can. A seeded plan defines each fault, its target and its call.
At the end the API server's own audit log is read: every slot that was due has exactly one Job, or is counted
as missed. The audit does not use the operators' own state.

Real: the operator's processes, their ServiceAccount's rights, the API server, etcd, and the controllers for
Jobs, garbage collection and namespaces. Simulated: the node. No container runs; a simulator completes each
check and reports as the container would, or fails, or sends no report. Time runs faster for the operators
(`--speed`), because slots are at least a minute apart; the proxy translates creation times and the Date
header of the API server's responses.
"""
