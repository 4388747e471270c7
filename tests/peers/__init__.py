"""Packages that a site has beside this one, and a policy on a model of each."""
