"""`make demo`: reps complete tasks, and one watches them arrive in a stand-in for Salesforce over real HTTP."""
