"""Pages about users, teams and their CRM Email Sync that are no model's own."""
