"""From records to what people read: a tidy frame, and pure functions from it to tables."""
