"""Salesforce clients that others wrote, run against the sandbox."""
