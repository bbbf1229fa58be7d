"""SOQL: text to tokens, tokens to a query, a query bound to the schema, and the rows it finds.

What is not understood is refused with Salesforce's own error, never half answered.
"""
