"""What the site has of a person: the rows and files that an erasure of their row would concern."""
