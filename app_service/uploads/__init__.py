"""The way in of a file: received, examined, stored durably, committed, enqueued, and only then answered."""
