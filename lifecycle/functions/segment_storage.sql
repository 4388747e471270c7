-- A few bytes of a filter are read without the others where it is not compressed; hashes do not compress.
ALTER TABLE @tables@.lifecycle_segment ALTER COLUMN filter SET STORAGE EXTERNAL
