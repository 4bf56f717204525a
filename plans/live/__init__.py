"""Open pages stay true: sockets that send what changed, at most a few times a second.

A doorbell says only that something changed. The feed of a page's subject, one for all its viewers,
then reads and renders it once and sends everybody the same frame; whoever joins says its cursor
and gets the difference. Doorbells may be lost: a feed also looks by itself every few seconds.
"""
