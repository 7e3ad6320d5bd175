"""The bank's own people: who they are, what they may do where, and how they prove who they are.

Views ask ``door(unit, me, code, act)`` before they touch anything of a branch.
"""

from service.staff.doors import branches_of, door, may_at, reach_of
from service.staff.people import Me
from service.staff.rights import Grant

__all__ = ["Grant", "Me", "branches_of", "door", "may_at", "reach_of"]
