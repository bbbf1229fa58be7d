"""The REST API: one file per resource, all of them functions from a Call to a Response."""
