import numpy as np
import pytest

from demottle.physics.phantoms.vessels import chain, smooth_path, tree, wander


def test_chain_is_one_tube_without_gaps_or_steps():
    pieces = chain([(0, 0, 0), (0, 5, 0), (3, 5, 0)], [3, 2, 1])
    assert len(pieces) == 2
    assert pieces[0].end == pieces[1].start
    assert pieces[0].end_radius == pieces[1].start_radius == 2


def test_smooth_path_goes_through_its_points_and_does_not_jump():
    points = [(0, 0, 0), (10, 5, 0), (20, -5, 8), (30, 0, 0)]
    path = smooth_path(points, pieces=5)
    np.testing.assert_allclose(path[::5], points)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() < 8


def test_every_fork_has_two_branches_that_start_where_it_ends_and_are_thinner():
    pieces = tree((0, 0, 0), (0, 0, 1), 4.0, 20, 3, np.random.default_rng(0))
    assert len(pieces) == 2 * (2**4 - 1)  # two pieces for each vessel
    starts = [piece.start for piece in pieces]
    for end in {piece.end for piece in pieces if starts.count(piece.end) == 2}:
        trunk = next(piece for piece in pieces if piece.end == end)
        branches = [piece for piece in pieces if piece.start == end]
        assert all(branch.start_radius < trunk.end_radius for branch in branches)
        # Murray's law: the cubes of the radii add up
        assert sum(branch.start_radius**3 for branch in branches) == pytest.approx(trunk.start_radius**3, rel=0.02)
    assert sum(starts.count(piece.end) == 2 for piece in pieces) == 2**3 - 1


def test_wander_takes_steps_of_the_length_asked_for():
    path = wander((1, 2, 3), (0, 1, 0), 5.0, 7, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(np.diff(path, axis=0), axis=1), 5.0)
    np.testing.assert_array_equal(path[0], (1, 2, 3))
