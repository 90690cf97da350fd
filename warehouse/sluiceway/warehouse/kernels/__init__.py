"""Kernels: the only code that touches rows. Each releases the interpreter lock and is cached.

Everything is addressed by pointer, because a column's segments lie in different mapped files:
`views` names the groups of pointers that kernels take. No kernel allocates what it returns
and none checks bounds; the callers in `table/` own both duties.
"""
