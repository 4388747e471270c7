"""Archives as tables of Apache Iceberg, which other programs read where they lie."""
