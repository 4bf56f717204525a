"""The sandbox plays the world around Bluegreen: OB service, gateway and tenants' instances.

It speaks real HTTP on one port and its instances read their configuration from a real Redis.
Faults can be put in on demand, and every call is recorded. Start it with ``python -m sandbox``.
It holds everything in memory and is meant for development, demonstration and tests only.
"""
