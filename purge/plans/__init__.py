"""One act on many rows: found once, shown, maybe approved by another person, done exactly so."""
