from benchmarks.processes import Role, Seen, role_of

LIFELINE = ("python", "-I", "/x/sync/lifeline.py", "5", "3", "python", "manage.py", "qcluster")
QCLUSTER = ("python", "/x/manage.py", "qcluster", "")


def test_the_place_in_the_tree_tells_the_roles() -> None:
    tree = {
        one.pid: one
        for one in (
            Seen(10, 1, ("python", "-I", "/x/sync/lifeline.py", "5", "3", "python", "manage.py", "workers"), ""),
            Seen(11, 10, ("python", "/x/manage.py", "workers", "--grace", "3"), ""),
            Seen(12, 11, LIFELINE, "c1"),
            Seen(13, 12, QCLUSTER, "c1"),
            Seen(14, 13, QCLUSTER, "c1"),
            Seen(15, 14, QCLUSTER, "c1"),
            Seen(16, 14, QCLUSTER, "c1"),
            Seen(20, 1, ("python", "-m", "sandbox"), ""),
        )
    }
    roles = {pid: role_of(one, tree, {15: Role.WORKER}) for pid, one in tree.items()}
    assert roles == {
        10: None,
        11: Role.SUPERVISOR,
        12: Role.LEADER,
        13: Role.MAIN,
        14: Role.SENTINEL,
        15: Role.WORKER,
        16: None,
        20: None,
    }


def test_an_orphan_is_what_its_sentinel_said_of_it() -> None:
    orphan = Seen(15, 1, QCLUSTER, "c1")
    assert role_of(orphan, {15: orphan}, {15: Role.WORKER}) == Role.WORKER
