"""Who may do what: passwords, sessions, roles, audit."""
