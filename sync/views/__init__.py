"""Pages about the CRM that are no model's."""
