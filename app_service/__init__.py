"""The App tier: studies, jobs, results, users and their REST interface; the worker that runs jobs."""
