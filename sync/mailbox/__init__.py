"""Mailboxes: reading what is in them. Knows no model, no setting and no rule; bytes in, dataclasses out."""
