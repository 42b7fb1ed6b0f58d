"""The same work for several contenders, each in a process and an environment of its own, asked in turn."""
