"""A witness of logs, as C2SP `tlog-witness` says: `python -m lifecycle.witness`.

It signs a log's head only where that continues every head it has signed before. Run by somebody
else, on another machine, it notices what the site's own account could hide: a log that was rewound
or written anew. Standard library and `cryptography` only.
"""
