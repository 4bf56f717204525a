"""What pages and sockets both show: the same parts, rendered from the same contexts."""
