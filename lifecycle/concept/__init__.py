"""The deletion concept: of every model of the site which data it has, when its rows end, and why.

It is read from the declarations, so that it says what the code does.
"""
