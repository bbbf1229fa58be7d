"""The HTTP API: other tools hand tasks in and read how they fare (docs/api.md)."""
