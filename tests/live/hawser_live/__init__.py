"""Drives real daemons: regions with a nats-server each, links that can be cut, and small clients.

Python's standard library only. Start at mesh.py.
"""
