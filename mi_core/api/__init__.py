"""The HTTP API of a workspace; see docs/api.md."""
