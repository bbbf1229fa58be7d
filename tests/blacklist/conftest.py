from tests.people import people

__all__ = ["people"]
