"""Keep the ends of Redis keys away until the business that needs them is done (S8).

`wheel` decides what is due, `link` sends it on other threads, `service` holds both together for
the rows that `session` and `claims` have won from the database. `rows` is the door: register,
signal. Ends are computed, never measured: see `schedule`.
"""
