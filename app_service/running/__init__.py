"""What the worker does: run a job, keep its lease, put right what was left lying."""
