"""Who may do what: users, sign-in, rights by name, and the audit of every look at PHI."""
