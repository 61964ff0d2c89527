"""The web tier: every page a person sees. Knows `app_service` only by its REST contract; no file, model or database."""
