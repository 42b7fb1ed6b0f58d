"""A long run with every way in which a call may end, and the books it must balance with."""
