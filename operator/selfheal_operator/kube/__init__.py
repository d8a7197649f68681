"""The API server client: all requests of the operator except kopf's lists and watches."""
