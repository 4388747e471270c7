"""Archives are rewritten without the rows of somebody, by request of an erasure or of a person."""
