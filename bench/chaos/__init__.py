"""Faults, a thousand of them, against real operators and a real API server; then an audit.

`python -m chaos` (or `make chaos`) runs operators as processes of their own, each behind a line to the API
server that can fail in every way a network can. A seeded list says which fault strikes whom, at which call.
In the end the API server's own audit log is read: every slot that was due has exactly one Job, or is counted
as missed. What the operators believe plays no part in it.

Real: the operator's processes, their ServiceAccount's rights, the API server, etcd, and the controllers for
Jobs, garbage collection and namespaces. Simulated: the node. No container runs; a check is completed by a
simulator that reports as the container would, or fails, or says nothing. Time runs faster for the operators
(`--speed`), because slots are a minute apart at least; what the API server says of creation times, and of the
time, is translated on the line.
"""
