"""A GPU is leased to one process at a time, whatever happens to the processes."""

import itertools
import logging
import multiprocessing
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from maskaae.training.lease import Lease, lease_device

# Fork, because hundreds of processes are started; the parent never holds a lease while it forks.
processes = multiprocessing.get_context("fork")
EXITING = 0x4  # PF_EXITING of the Linux kernel


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # so that the value of before is restored in any case
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")


def gpus(count: int) -> list[str]:
    return [f"GPU-{index:08d}-0000-0000-0000-000000000000" for index in range(count)]


def is_free(folder: Path, devices: list[str], slots: int = 1) -> bool:
    try:
        with lease_device(slots, devices, folder, timeout=0):
            return True
    except TimeoutError:
        return False


def hold(folder: Path, devices: list[str], slots: int, report) -> None:
    with lease_device(slots=slots, devices=devices, folder=folder, poll_interval=0.05) as lease:
        report.send((lease, os.environ.get("CUDA_VISIBLE_DEVICES")))
        time.sleep(60)


@contextmanager
def holder(
    folder: Path, devices: list[str], slots: int = 1, target: Callable[..., None] = hold
) -> Iterator[tuple[BaseProcess, Lease, str]]:
    """Yield another process that holds a lease, what it holds, and its CUDA_VISIBLE_DEVICES."""
    receive, send = processes.Pipe()
    process = processes.Process(target=target, args=(folder, devices, slots, send))
    process.start()
    try:
        assert receive.poll(10), "the other process got no lease"
        yield process, *receive.recv()
    finally:
        process.kill()
        process.join()


def test_two_processes_get_different_devices(tmp_path):
    with holder(tmp_path, gpus(2)) as (_, first, _), holder(tmp_path, gpus(2)) as (_, second, _):
        assert {first.uuid, second.uuid} == set(gpus(2))


def test_leased_device_is_the_only_one_that_cuda_shows(tmp_path):
    with holder(tmp_path, gpus(3)) as (_, lease, visible):
        assert lease.device == "cuda:0"
        assert visible == lease.uuid


def test_lock_is_keyed_by_the_device_and_not_by_its_index(tmp_path):
    first, second, third = gpus(3)
    with holder(tmp_path, [first]), holder(tmp_path, [second, first]) as (_, lease, _):
        assert lease.uuid == second
        assert not is_free(tmp_path, [second])
        with lease_device(devices=[second, third], folder=tmp_path, timeout=0) as free:
            assert free.uuid == third


def test_killed_process_frees_its_device(tmp_path):
    with holder(tmp_path, gpus(1)) as (process, _, _):
        os.kill(process.pid, signal.SIGKILL)
        with lease_device(devices=gpus(1), folder=tmp_path, timeout=10, poll_interval=0.05) as lease:
            assert lease.uuid == gpus(1)[0]


def test_wait_is_announced_and_ends_at_the_timeout(tmp_path, caplog):
    with (
        holder(tmp_path, gpus(2)),
        holder(tmp_path, gpus(2)),
        caplog.at_level(logging.WARNING),
        pytest.raises(TimeoutError, match=r"no GPU became free in 0\.2 s"),
        lease_device(devices=gpus(2), folder=tmp_path, timeout=0.2, poll_interval=0.05),
    ):
        pass
    assert [record.getMessage() for record in caplog.records] == [
        "all 2 GPU(s) are leased, waiting for one (0 s so far)"
    ]


def test_lease_ends_with_its_block_also_by_an_error(tmp_path):
    with pytest.raises(ArithmeticError), lease_device(devices=gpus(1), folder=tmp_path, timeout=0):
        raise ArithmeticError("training went wrong")
    assert is_free(tmp_path, gpus(1))


def test_lease_survives_the_end_of_a_child_process(tmp_path):
    with lease_device(devices=gpus(1), folder=tmp_path, timeout=0):
        subprocess.run([sys.executable, "-c", ""], check=True)
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        assert not is_free(tmp_path, gpus(1))


def test_slots_are_filled_evenly_and_never_overfilled(tmp_path):
    with (
        holder(tmp_path, gpus(2), slots=2) as (_, first, _),
        holder(tmp_path, gpus(2), slots=2) as (_, second, _),
        holder(tmp_path, gpus(2), slots=2),
        holder(tmp_path, gpus(2), slots=2),
    ):
        assert first.uuid != second.uuid
        assert not is_free(tmp_path, gpus(2), slots=2)


@pytest.mark.parametrize("slots", [0, -1])
def test_fewer_than_one_slot_is_refused(tmp_path, slots):
    with (
        pytest.raises(ValueError, match=f"at least 1.*got {slots}"),
        lease_device(slots, gpus(1), tmp_path),
    ):
        pass


def test_machine_without_gpu_leases_its_cpu_and_touches_nothing(tmp_path):
    with (
        lease_device(devices=[], folder=tmp_path) as first,
        lease_device(devices=[], folder=tmp_path) as second,
    ):
        assert first == second == Lease("cpu", None)
        assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert list(tmp_path.iterdir()) == []


def test_locks_are_open_to_all_users_under_any_umask(tmp_path):
    before = os.umask(0o077)
    try:
        with lease_device(devices=gpus(1), folder=tmp_path / "locks", timeout=0):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o1777
    (lock,) = (tmp_path / "locks").iterdir()
    assert stat.S_IMODE(lock.stat().st_mode) == 0o666


def hold_as_nobody(folder: Path, devices: list[str], slots: int, report) -> None:
    os.setgid(65534)
    os.setuid(65534)
    hold(folder, devices, slots, report)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("first_user", [hold, hold_as_nobody])
@pytest.mark.parametrize("second_user", [hold, hold_as_nobody])
def test_users_exclude_each_other(first_user, second_user):
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # tmp_path is closed to other users
        Path(name).chmod(0o1777)
        locks = Path(name) / "locks"
        with (
            holder(locks, gpus(2), target=first_user) as (_, first, _),
            holder(locks, gpus(2), target=second_user) as (_, second, _),
        ):
            assert {first.uuid, second.uuid} == set(gpus(2))
            assert not is_free(locks, gpus(2))


# ------------------------------------------------------------------ many processes, killed at random moments


def is_at_work(pid: int) -> bool:
    """Whether a process runs; not so from the moment at which the kernel begins to end it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return not int(fields[6]) & EXITING


def work(folder: Path, devices: list[str], slots: int, seed: int, turns: int) -> None:
    """Take leases in turn; at each, count the processes that hold the same device and write it down.

    The claim is written after the lease begins and removed before it ends, so of two holders of one place
    the second always sees the first.
    """
    chance = random.Random(seed)
    for turn in range(turns):
        with lease_device(slots, devices, folder / "locks", poll_interval=0.005) as lease:
            claim = folder / "claims" / str(lease.uuid) / str(os.getpid())
            claim.touch()
            holders = [other.name for other in claim.parent.iterdir() if is_at_work(int(other.name))]
            with (folder / "log").open("a") as log:
                log.write(f"{lease.uuid} {len(holders)} {seed} {turn}\n")
            time.sleep(chance.uniform(0, 0.01))
            claim.unlink()


def run_crowd(
    folder: Path, devices: list[str], slots: int, *, crowd: int, turns: int, killed: int
) -> list[list[str]]:
    """Run processes that take leases, kill some of them at random moments, and return what all wrote down."""
    for device in devices:
        (folder / "claims" / device).mkdir(parents=True)
    members = [
        processes.Process(target=work, args=(folder, devices, slots, seed, turns)) for seed in range(crowd)
    ]
    for member in members:
        member.start()
    chance = random.Random(len(devices))
    for victim in chance.sample(members, killed):
        time.sleep(chance.uniform(0, 0.02))
        victim.kill()
    for member in members:
        member.join(timeout=120)
        assert member.exitcode in {0, -signal.SIGKILL}, f"a process waited for ever or failed: {member}"
    return [line.split() for line in (folder / "log").read_text().splitlines()]


def check_crowd(record: list[list[str]], devices: list[str], slots: int) -> None:
    assert max(int(holders) for _, holders, _, _ in record) <= slots, "too many processes on one device"
    assert {device for device, *_ in record} == set(devices), "a device was never used"


@pytest.mark.parametrize(("count", "slots"), [(2, 1), (3, 1), (8, 1), (2, 3)])
def test_no_device_is_shared_when_processes_are_killed(tmp_path, count, slots):
    record = run_crowd(tmp_path, gpus(count), slots, crowd=24, turns=4, killed=8)
    check_crowd(record, gpus(count), slots)
    assert len(record) >= 16 * 4, "a process that was not killed missed a turn"


@pytest.mark.long
@pytest.mark.parametrize(("count", "slots"), [(2, 1), (3, 1), (8, 1), (8, 2)])
def test_no_device_is_shared_in_a_thousand_leases_of_two_hundred_processes(tmp_path, count, slots):
    record = run_crowd(tmp_path, gpus(count), slots, crowd=200, turns=8, killed=70)
    check_crowd(record, gpus(count), slots)
    assert len(record) >= 130 * 8


def test_crowd_would_notice_a_shared_device(tmp_path):
    """The witness of the tests above sees what it must see: here everyone has a lock of his own."""
    (tmp_path / "claims" / gpus(1)[0]).mkdir(parents=True)
    separate = [processes.Process(target=work_unlocked, args=(tmp_path, gpus(1), seed)) for seed in range(8)]
    for member in separate:
        member.start()
    for member in separate:
        member.join()
    record = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    with pytest.raises(AssertionError, match="too many processes"):
        check_crowd(record, gpus(1), slots=1)


def work_unlocked(folder: Path, devices: list[str], seed: int) -> None:
    separate = folder / f"alone-{seed}"
    separate.mkdir()
    (separate / "claims").symlink_to(folder / "claims")
    (separate / "log").symlink_to(folder / "log")
    work(separate, devices, slots=1, seed=seed, turns=20)


def take_turns(folder: Path, devices: list[str], stop: Callable[[], bool], seed: int) -> None:
    for turn in itertools.count():
        if stop():
            return
        with lease_device(devices=devices, folder=folder / "locks", poll_interval=0.005):
            (folder / f"turns-{seed}").write_text(str(turn + 1))
            time.sleep(0.005)
        time.sleep(0.01)  # the next job of a queue starts a process first


def test_no_process_starves_beside_busy_ones(tmp_path):
    stop = processes.Event()
    crowd = [
        processes.Process(target=take_turns, args=(tmp_path, gpus(2), stop.is_set, seed)) for seed in range(6)
    ]
    for member in crowd:
        member.start()
    time.sleep(2)
    stop.set()
    for member in crowd:
        member.join()
    turns = [int((tmp_path / f"turns-{seed}").read_text()) for seed in range(6)]
    assert min(turns) >= max(turns) / 4, turns


# ------------------------------------------------------------------------------------------ the CUDA driver


@pytest.mark.gpu
def test_torch_trains_on_the_leased_device(tmp_path):
    script = (
        "import sys, pathlib, torch\n"
        "from maskaae.training.lease import lease_device\n"
        "with lease_device(folder=pathlib.Path(sys.argv[1]), timeout=0) as lease:\n"
        "    print(lease.uuid.partition('-')[2], torch.cuda.get_device_properties(lease.device).uuid)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True
    )
    leased, used = answer.stdout.split()
    assert leased == used
