"""The pages of the blacklists."""
