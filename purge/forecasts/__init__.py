"""What policies will end until a day, read without touching a row; and what came of it."""
