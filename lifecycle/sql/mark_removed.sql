-- Drop the function once no table, and no partition, has a trigger of it.
COMMENT ON FUNCTION {function}() IS 'lifecycle removed'
