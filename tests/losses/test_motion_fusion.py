import torch

from demottle.losses.motion_fusion import motion_map, released_fusion

RANDOM = torch.Generator().manual_seed(0)


def still(level: float) -> torch.Tensor:
    return 50 + level * torch.randn(1, 5, 64, 64, generator=RANDOM)


def test_noise_alone_does_not_move() -> None:
    for level in (0.5, 20.0):
        motion = motion_map(still(level), torch.full((1, 1, 64, 64), level))
        assert motion.mean() < 0.01


def test_what_moves_is_found_where_it_moves() -> None:
    frames = still(1.0)
    for k in range(5):
        frames[0, k, :, 20 + 3 * k : 24 + 3 * k] -= 12
    motion = motion_map(frames, torch.ones(1, 1, 64, 64))[0, 0]
    assert motion[:, 24:32].min() > 0.9
    assert motion[:, 50:].mean() < 0.02


def test_the_released_matrix_is_almost_inert_and_zero_where_the_frame_is_nearer_than_the_teacher() -> None:
    frame = torch.rand(1, 1, 32, 32, generator=RANDOM)
    weight = released_fusion(frame, frame, frame + 2, frame)
    assert not weight.any()
    weight = released_fusion(frame, frame, frame, frame + 0.1 * torch.rand(1, 1, 32, 32, generator=RANDOM))
    assert 0 <= weight.min() <= weight.max() < 0.1
    assert weight.any()


def test_no_gradient_flows_through_the_released_matrix() -> None:
    output = torch.rand(1, 1, 16, 16, requires_grad=True)
    assert not released_fusion(output, output.detach(), output.detach(), output.detach() + 0.1).requires_grad
