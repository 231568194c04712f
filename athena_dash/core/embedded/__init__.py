"""PostgreSQL and Valkey out of Python wheels, private to one state directory: nothing to set up.

`state` says where everything is, `postgres` and `valkey` how each server runs, `supervisor` keeps programs
running and stops them in order, `keeper` is the process that owns both servers, `attach` connects to them.
Nothing here imports Django: the servers must be up before Django is.
"""
