"""A stand-in for Salesforce over real HTTP: its REST API, and switches for what goes wrong."""
