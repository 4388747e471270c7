"""What happens to their rows, through their own API; run by `tests/peers/test_peers.py`."""
