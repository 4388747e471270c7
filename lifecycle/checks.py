"""System checks of the policies."""
