"""The ramp of the mask's regulariser."""

import pytest

from maskaae.method.schedules import continuous_ramp_period, ramp, released_ramp_period


@pytest.mark.parametrize(("m", "period"), [(1, 75), (20, 75), (21, 2362), (48, 5400), (96, 10_000)])
def test_released_ramp_period_jumps_at_20(m, period):
    assert released_ramp_period(m) == period


def test_continuous_ramp_period_has_no_jump():
    assert continuous_ramp_period(20) == 2250
    assert continuous_ramp_period(21) == 2362


def test_ramp_starts_at_two_over_m_doubles_and_stops_at_2048():
    assert ramp(0, m=8, doubling_steps=300) == 0.25
    assert ramp(299, m=8, doubling_steps=300) == 0.25
    assert ramp(300, m=8, doubling_steps=300) == 0.5
    assert ramp(10**9, m=8, doubling_steps=300) == 2048.0


def test_released_ramp_reaches_its_cap_30_times_later_at_m_21_than_at_m_20():
    def cap_step(m):
        doubling = 4 * released_ramp_period(m)
        return next(k for k in range(40) if ramp(k * doubling, m, doubling) == 2048.0) * doubling

    assert cap_step(20) == 4500
    assert cap_step(21) == 141_720
